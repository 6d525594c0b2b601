"""How a gateway ends: told to stop, alone, or by a signal; and what it tells of its threads meanwhile."""

import os
import signal
import unittest

from gateway_process import GatewayProcess


class EndTestCase(unittest.TestCase):
    def start(self, behaviour: str, is_ready: bool = True) -> GatewayProcess:
        gateway = GatewayProcess("lifecycle:application", env={"BEHAVIOUR": behaviour})
        self.addCleanup(gateway.__exit__)
        return gateway.wait_until_ready() if is_ready else gateway

    def check_serves(self, gateway: GatewayProcess) -> None:
        with gateway.connect() as front:
            self.assertEqual(front.ask("/hello").body, b"hello")


class StopTest(EndTestCase):
    def test_atexit_functions_are_called(self) -> None:
        gateway = self.start("atexit")
        self.check_serves(gateway)
        self.assertEqual(gateway.stop(), 0)
        self.assertIn("atexit was called", gateway.stdout.wait_for_end())

    def test_with_a_signal_at_the_same_time(self) -> None:
        # As app-process.ts does: the signal is for the application's children.
        for _ in range(5):
            gateway = self.start("atexit")
            gateway.command("stop")
            os.killpg(gateway.child.pid, signal.SIGTERM)
            self.assertEqual(gateway.wait_for_exit(), 0)
            self.assertIn("atexit was called", gateway.stdout.wait_for_end())

    def test_in_the_middle_of_a_request(self) -> None:
        gateway = self.start("")
        with gateway.connect() as front, gateway.connect() as observer:
            front.send_request("/blocks")
            observer.ask("/journal/await", QUERY_STRING="1")
            self.assertEqual(gateway.stop(), 0)
            self.assertRaises((EOFError, ConnectionError), front.read_frame)

    def test_in_the_middle_of_an_import(self) -> None:
        gateway = self.start("hang", is_ready=False)
        gateway.stdout.wait_for("importing")
        self.assertEqual(gateway.stop(), 0)

    def test_what_holds_the_process_has_a_deadline(self) -> None:
        gateways = [self.start(behaviour) for behaviour in ("thread", "hanging atexit", "hanging handler")]
        for gateway in gateways:
            gateway.command("stop")
        self.assertEqual([gateway.wait_for_exit() for gateway in gateways], [0, 0, 0])


class SignalTest(EndTestCase):
    def test_sigterm_is_told_and_ends_nothing(self) -> None:
        gateway = self.start("")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
            os.kill(gateway.child.pid, number)
            self.assertEqual(gateway.read_event(), {"event": "terminated"})
        self.check_serves(gateway)

    def test_sigterm_in_the_middle_of_an_import(self) -> None:
        gateway = self.start("hang", is_ready=False)
        gateway.stdout.wait_for("importing")
        os.kill(gateway.child.pid, signal.SIGTERM)
        self.assertEqual(gateway.read_event(), {"event": "terminated"})

    def test_many_signals_among_long_events(self) -> None:
        # Each line arrives whole, whatever it interrupts.
        gateway = self.start("")
        for _ in range(50):
            gateway.command("stacks")
            os.kill(gateway.child.pid, signal.SIGTERM)
            gateway.read_event()
        gateway.command("stacks")
        while gateway.read_event()["event"] != "stacks":
            pass

    def test_handler_of_the_application_is_called_at_the_end(self) -> None:
        for behaviour in ("own handler", "exiting handler", "broken handler"):
            with self.subTest(behaviour):
                gateway = self.start(behaviour)
                os.kill(gateway.child.pid, signal.SIGTERM)
                self.assertEqual(gateway.read_event(), {"event": "terminated"})
                self.check_serves(gateway)
                self.assertEqual(gateway.stop(), 1 if behaviour == "broken handler" else 0)
                output = gateway.stdout.wait_for_end()
                self.assertEqual(output.count("own handler: SIGTERM"), int(behaviour == "own handler"))
                self.assertIn("atexit was called", output)

    def test_handler_that_calls_the_one_before(self) -> None:
        gateway = self.start("chaining handler")
        os.kill(gateway.child.pid, signal.SIGTERM)
        self.assertEqual(gateway.read_event(), {"event": "terminated"})
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(gateway.stdout.wait_for_end(), "chained\n")
        self.assertRaises(EOFError, gateway.read_event)

    def test_application_that_ignores_sigterm(self) -> None:
        gateway = self.start("ignores signals")
        os.kill(gateway.child.pid, signal.SIGTERM)
        self.assertEqual(gateway.read_event(), {"event": "terminated"})
        self.assertEqual(gateway.stop(), 0)

    def test_crash_shows_where(self) -> None:
        gateway = self.start("closed output")
        with gateway.connect() as front:
            front.send_request("/kills_itself")
            self.assertEqual(gateway.wait_for_exit(), -signal.SIGSEGV)
        self.assertIn("in kills_itself", gateway.stderr.wait_for_end())


class OrphanTest(EndTestCase):
    def end_easyserve(self, gateway: GatewayProcess) -> None:
        gateway.control.close()
        # The output ends when the last process of the group has ended.
        gateway.stdout.wait_for_end()
        gateway.wait_for_exit()

    def test_it_ends_when_easyserve_is_gone(self) -> None:
        gateway = self.start("")
        self.check_serves(gateway)
        self.end_easyserve(gateway)
        self.assertEqual(gateway.wait_for_exit(), 0)

    def test_in_the_middle_of_an_import(self) -> None:
        gateway = self.start("hang", is_ready=False)
        gateway.stdout.wait_for("importing")
        self.end_easyserve(gateway)

    def test_in_the_middle_of_a_request(self) -> None:
        gateway = self.start("")
        with gateway.connect() as front, gateway.connect() as observer:
            front.send_request("/blocks")
            observer.ask("/journal/await", QUERY_STRING="1")
            self.end_easyserve(gateway)

    def test_children_end_too(self) -> None:
        for behaviour in ("child", "stubborn child"):
            with self.subTest(behaviour):
                gateway = self.start(behaviour)
                gateway.stdout.wait_for("child is there")
                self.end_easyserve(gateway)

    def test_children_of_an_import_end_too(self) -> None:
        gateway = self.start("hang with child", is_ready=False)
        gateway.stdout.wait_for("child is there")
        self.end_easyserve(gateway)


class StacksTest(EndTestCase):
    def test_of_a_blocked_thread(self) -> None:
        gateway = self.start("")
        with gateway.connect() as front, gateway.connect() as observer:
            front.send_request("/blocks")
            observer.ask("/journal/await", QUERY_STRING="1")
            stacks = gateway.stacks()
            self.assertIn("in blocks\n    never.wait()", stacks[str(front.thread)])
            self.assertNotIn("in blocks", stacks[str(observer.thread)])
            self.assertEqual(sorted(stacks), ["0", "1", "main"])

    def test_of_a_hanging_import(self) -> None:
        gateway = self.start("hang", is_ready=False)
        gateway.stdout.wait_for("importing")
        self.assertIn("lifecycle.py", gateway.stack_with("main", "never.wait()"))


class OutputTest(EndTestCase):
    def test_lines_arrive_as_they_are_printed(self) -> None:
        gateway = self.start("prints", is_ready=False)
        gateway.stdout.wait_for("on stdout\n")
        gateway.stderr.wait_for("on stderr\n")

    def test_bytes_that_are_no_text(self) -> None:
        gateway = self.start("")
        with gateway.connect() as front:
            self.assertEqual(front.ask("/prints").body, b"hello")
        gateway.stdout.wait_for("a line\n")
        gateway.stderr.wait_for("an error line\n")

    def test_application_that_closes_or_replaces_its_output(self) -> None:
        for behaviour in ("closed output", "replaced output"):
            with self.subTest(behaviour):
                gateway = self.start(behaviour)
                with gateway.connect() as front:
                    front.ask("/breaks")
                    gateway.stderr.wait_for("ValueError: in a view")
                    front.ask("/logs")
                    gateway.stderr.wait_for("a line for wsgi.errors\n")
                self.check_serves(gateway)
                self.assertEqual(gateway.stop(), 0)


if __name__ == "__main__":
    unittest.main()
