"""Ports that the processes of an application share (easyserve_own_ports)."""

import os
import socket
import subprocess
import sys
import unittest

import paths

PROGRAM = """
import os, socket, sys
sys.path.insert(0, sys.argv[1])
import easyserve_own_ports
easyserve_own_ports.share_own_ports()
assert "EASYSERVE_APP_PORTS" not in os.environ
listener = socket.socket()
listener.bind(("127.0.0.1", int(sys.argv[2])))
listener.listen()
"""


class OwnPorts(unittest.TestCase):
    def listen_beside(self, ports):
        """Return how a process ends that listens where another one does."""
        with socket.socket() as other:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = other.getsockname()[1]
            env = dict(os.environ, EASYSERVE_APP_PORTS=ports % port)
            command = [sys.executable, "-c", PROGRAM, paths.SOURCE, str(port)]
            return subprocess.run(
                command, env=env, capture_output=True, text=True, timeout=60
            )

    def test_a_port_of_the_list_is_shared(self):
        ended = self.listen_beside("9464,%d")
        self.assertEqual(ended.returncode, 0, ended.stderr)

    def test_any_other_is_not(self):
        ended = self.listen_beside("9464%.0s")
        self.assertIn("Address already in use", ended.stderr)


if __name__ == "__main__":
    unittest.main()
