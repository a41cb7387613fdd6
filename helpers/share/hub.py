"""Upload to the Hugging Face Hub, with the student's own token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from helpers.errors import called_as
from helpers.extras import extra
from helpers.share.bundle import opened
from helpers.share.errors import ShareError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError


@called_as('push("first-try.unet.zip", "ana/nuclei-unet")')
def push(bundle: str | Path, repo_id: str, *, token: str | None = None, private: bool = True) -> str:
    """Upload a bundle's files to a model repository, which is created if it does not exist.

    The bundle is checked as by `load_shared`, then its files go up in one commit: all or none. `HF_ENDPOINT` sets the
    Hub, as everywhere in `huggingface_hub`.

    Args:
        bundle: path of the bundle.
        repo_id: `"user/name"`, or `"name"` for one of your own.
        token: with the right to write; by default the one stored by `hf auth login`.
        private: whether only you can see a new repository.

    Returns:
        The address of the repository.

    Raises:
        ShareError: the share extra is not installed, the bundle is refused, there is no token, `repo_id` is not valid,
            or the Hub cannot be reached or refuses.
    """
    with extra("share", ShareError):
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
        from huggingface_hub.utils import validate_repo_id

    checked = opened(Path(bundle))
    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise ShareError(f"{repo_id!r} cannot name a repository: {error} For example ana/nuclei-unet.") from None
    token = token or huggingface_hub.get_token()
    if not token:
        raise ShareError(
            "There is no token to upload with. Make one with the right to write on huggingface.co/settings/tokens, "
            "then run `hf auth login` once, or give token=."
        )
    api = huggingface_hub.HfApi(token=token)
    try:
        repository = api.create_repo(repo_id, private=private, exist_ok=True)
        operations = [huggingface_hub.CommitOperationAdd(name, content) for name, content in checked.files.items()]
        api.create_commit(repository.repo_id, operations, commit_message=f"Share {checked.name}")
    except OfflineModeIsEnabled:
        raise ShareError("HF_HUB_OFFLINE is set, so nothing is uploaded. Unset it and try again.") from None
    except HfHubHTTPError as error:
        raise ShareError(_refusal(error, repo_id, api.endpoint)) from error
    except Exception as error:  # several libraries carry the upload, each with errors of its own
        raise ShareError(
            f"The upload failed, because {api.endpoint} cannot be reached or the connection broke off: "
            f"{type(error).__name__}: {str(error)[:300]}. Check the network and try again; the bundle stays as it is."
        ) from error
    return str(repository)


def _refusal(error: HfHubHTTPError, repo_id: str, endpoint: str) -> str:
    status = error.response.status_code
    said = (error.server_message or str(error))[:300]
    reasons = {
        401: f"{endpoint} does not know this token. Make a new one with the right to write, and log in again.",
        403: f"This token may not write to {repo_id}. Use a repository of your own, or a token with the right.",
    }
    return f"{reasons.get(status, f'{endpoint} refused the upload with status {status}.')} ({said})"
