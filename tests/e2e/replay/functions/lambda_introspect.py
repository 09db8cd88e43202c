import getpass
import os
import platform


def handler(event, context):
    return {
        "user_login_name": getpass.getuser(),
        "user_whoami": getpass.getuser(),
        "platform_system": platform.system(),
        "platform_machine": platform.machine(),
        "pwd": os.getcwd(),
        "paths": {path: os.path.isdir(path) for path in ("/var/task", "/opt", "/tmp")},
        "environment": dict(os.environ),
    }
