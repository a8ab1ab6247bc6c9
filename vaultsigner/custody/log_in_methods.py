"""Which way of logging in the configuration names."""

from vaultsigner.config.settings import AppRoleAuth, AwsAuth, CertAuth, JwtAuth, LogInAuth, VaultSettings
from vaultsigner.custody.approle_log_in import AppRoleLogIn
from vaultsigner.custody.aws_log_in import AwsLogIn
from vaultsigner.custody.cert_log_in import CertLogIn
from vaultsigner.custody.jwt_log_in import JwtLogIn
from vaultsigner.custody.keepsake import Keepsake
from vaultsigner.custody.log_in_method import LogInMethod
from vaultsigner.custody.secret_id_unwrapping import Unwrapping
from vaultsigner.custody.vault_session import VaultSession


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
