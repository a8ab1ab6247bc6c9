"""Prints the OpenAPI document of everything that vaultsigner can serve; run by its own interpreter while the site is built."""

import json
import sys

from vaultsigner.server.openapi import openapi_document
from vaultsigner.server.partner_routes import partner_routes
from vaultsigner.server.routes import ROUTES

json.dump(openapi_document((*ROUTES, *partner_routes("/web3"))), sys.stdout, ensure_ascii=False)
