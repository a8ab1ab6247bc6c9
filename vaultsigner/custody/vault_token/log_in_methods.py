"""Which way of logging in the configuration names."""

from vaultsigner.config.vault_settings import (
    AppRoleAuth,
    AwsAuth,
    CertAuth,
    JwtAuth,
    LogInAuth,
    VaultSettings,
)
from vaultsigner.custody.vault.session import VaultSession
from vaultsigner.custody.vault_token.approle import AppRoleLogIn
from vaultsigner.custody.vault_token.aws import AwsLogIn
from vaultsigner.custody.vault_token.cert import CertLogIn
from vaultsigner.custody.vault_token.jwt import JwtLogIn
from vaultsigner.custody.vault_token.keepsake import Keepsake
from vaultsigner.custody.vault_token.log_in_method import LogInMethod
from vaultsigner.custody.vault_token.secret_id_unwrapping import Unwrapping


def log_in_method(
    auth: LogInAuth, vault: VaultSettings, session: VaultSession, keepsake: Keepsake, *, look_only: bool
) -> LogInMethod:
    """The way of logging in.

    Args:
        look_only: use up nothing that is good for one use.
    """
    match auth:
        case AppRoleAuth():
            unwrapping = Unwrapping(session, auth, vault.namespace, look_only=look_only)
            return AppRoleLogIn(auth, keepsake, unwrapping)
        case JwtAuth():
            return JwtLogIn(auth)
        case CertAuth():
            return CertLogIn(auth)
        case AwsAuth():
            return AwsLogIn(auth)
