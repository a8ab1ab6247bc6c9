"""What a wrapped secret id, which is good for one process alone, means for `vaultsigner check`."""

import aiohttp

from vaultsigner.cli.status_probe import ANSWER_SECONDS, ask_service
from vaultsigner.config.settings import ListenAddress
from vaultsigner.config.vault_settings import AppRoleAuth, VaultAuth
from vaultsigner.custody.protocol import ID_FILE_MISSING, LEFT_WRAPPED


async def why_left(problem: str | None, auth: VaultAuth, listen: ListenAddress) -> str | None:
    """Why what needs Vault is left alone, though nothing is wrong; None where something is, or nothing is in the way.

    Args:
        problem: custody's with Vault.
        listen: the operations port. A service that is ready has unwrapped the secret id and removed the file; without one the
            file is missing.
    """
    if problem is None or LEFT_WRAPPED in problem:
        return problem
    if not (isinstance(auth, AppRoleAuth) and auth.wrapped and ID_FILE_MISSING in problem):
        return None
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(trust_env=False, timeout=timeout) as session:
        service = await ask_service(session, listen)
    if not service.ready:
        return None
    return (
        f"the wrapped secret id of {auth.secret_id_file} is used up, as it should be: a service is ready (operations port "
        f"{service.address}). What needs Vault was not tried, and the next start needs another: "
        f"`vaultsigner vault setup --wrapped-secret-id-out {auth.secret_id_file}`"
    )
