"""Imports a file of modal/ with the real SDK and prints what it declared, as JSON. Nothing of Modal is asked.

What is recorded is what the SDK's own decorators, after their checks, hand on to what they would send.
"""

import importlib
import json
import sys
from pathlib import Path

modal_folder = Path(__file__).resolve().parents[2] / "modal"


def main(name: str, folder: str) -> None:
    sys.path.insert(0, folder)
    import modal
    from modal._functions import _Function
    from modal._image import _Image

    declared = []
    make_function = _Function._from_local

    def record_function(info, *arguments, **given):
        function = make_function(info, *arguments, **given)
        declared.append((info, given, function))
        return function

    _Function._from_local = staticmethod(record_function)
    layers = {}
    make_image = _Image._from_args

    def record_image(**given):
        image = make_image(**given)
        layers[id(image)] = (image, given)
        return image

    _Image._from_args = staticmethod(record_image)
    module = importlib.import_module(name)

    def commands_of(image) -> list[str]:
        """All commands of an image, from its base on; a layer of local files has none."""
        found = []
        for base, given in layers.values():
            if base is image:
                for parent in (given.get("base_images") or {}).values():
                    found += commands_of(parent)
                build = given.get("dockerfile_function")
                found += build("2025.06").commands if build else []
                return found
        if image._deps is None:
            return [repr(image)]
        for dependency in image._deps():
            if isinstance(dependency, _Image):
                found += commands_of(dependency)
        return found

    def describe(info, given, function) -> dict[str, object]:
        server = given.get("http_config")
        return {
            "name": info.function_name if info.user_cls is None else info.user_cls.__name__,
            "environment": {
                key: value
                for secret in given["secrets"]
                if secret._load_env_dict is not None
                for key, value in secret._load_env_dict().items()
            },
            "secrets": [repr(secret) for secret in given["secrets"] if secret._load_env_dict is None],
            "volumes": {
                path: {
                    "name": repr(volume),
                    "isReadOnly": bool(getattr(volume._mount_options, "read_only", False)),
                }
                for path, volume in given["volumes"].items()
            },
            "image": commands_of(given["image"]),
            "pythonSources": sorted(given["image"]._added_python_source_set),
            "gpu": given.get("gpu"),
            "cpu": given.get("cpu"),
            "memory": given.get("memory"),
            "region": given.get("region"),
            "timeout": given.get("timeout"),
            "minContainers": given.get("min_containers"),
            "maxContainers": given.get("max_containers"),
            "bufferContainers": given.get("buffer_containers"),
            "scaledownWindow": given.get("scaledown_window"),
            "targetConcurrency": given.get("target_concurrent_inputs"),
            "isServer": given.get("is_server", False),
            "isSessioned": given.get("is_sessioned", False),
            "hasSnapshot": given.get("enable_memory_snapshot"),
            "server": None
            if server is None
            else {
                "port": server.port,
                "regions": list(server.proxy_regions),
                "startupTimeout": server.startup_timeout,
                "exitGracePeriod": server.exit_grace_period,
                "isUnauthenticated": server.unauthenticated,
            },
            "lifecycle": lifecycle_of(info.user_cls),
        }

    def lifecycle_of(user_class) -> dict[str, list[str]] | None:
        if user_class is None:
            return None
        from modal._partial_function import _find_partial_methods_for_user_cls as find
        from modal._partial_function import _PartialFunctionFlags as flags

        return {
            "beforeSnapshot": sorted(find(user_class, flags.ENTER_PRE_SNAPSHOT)),
            "afterSnapshot": sorted(find(user_class, flags.ENTER_POST_SNAPSHOT)),
            "exit": sorted(find(user_class, flags.EXIT)),
        }

    json.dump(
        {
            "sdk": modal.__version__,
            "app": module.app.name,
            "settings": module.settings.environment() if hasattr(module, "settings") else {},
            "declared": [describe(*entry) for entry in declared],
        },
        sys.stdout,
    )


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else str(modal_folder))
