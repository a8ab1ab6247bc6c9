"""What the codec refuses."""

from vaultsigner.errors import VaultsignerError


class FormatError(VaultsignerError):
    """Bytes, a document or values that the chain has no form for. The message never repeats what was given."""


class AddressError(FormatError):
    """The text or the key gives no address of the network that is meant."""
