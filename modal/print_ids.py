"""Prints the four ids that a registrar checks, of the enclave that is deployed: `python modal/print_ids.py`."""

import os
import sys

import modal

from sotto_settings import SettingError, read_settings


def main() -> None:
    try:
        settings = read_settings(os.environ)
    except SettingError as error:
        sys.exit(f"sotto: {error}")
    ids = modal.Function.from_name(settings.app, "where").remote()
    server = modal.Server.from_name(settings.app, "Enclave")
    server.hydrate()
    print(f"MODAL_WORKSPACE_ID={ids['workspace_id']}")
    print(f"MODAL_ENVIRONMENT_ID={ids['environment_id']}")
    print(f"MODAL_APP_ID={ids['app_id']}")
    print(f"MODAL_FUNCTION_ID={server.object_id}")
    print(f"MODAL_SERVER_URL={server.get_url()}", file=sys.stderr)


if __name__ == "__main__":
    main()
