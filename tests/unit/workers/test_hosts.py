import pytest
from yarl import URL

from tests.support.time import FakeClock
from workers.hosts import FIRST_S, IN_A_ROW, LONGEST_S, HostDown, Hosts

URL_A, URL_B = URL("https://a.example.com/x?secret"), URL("https://b.example.com/")


class World:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.hosts = Hosts(self.clock, spread=lambda: 0.5)

    def fail(self, times: int = 1) -> None:
        for _ in range(times):
            self.hosts.failed(URL_A, found_out=self.hosts.check(URL_A))

    def refused(self) -> HostDown:
        with pytest.raises(HostDown) as caught:
            self.hosts.check(URL_A)
        return caught.value


def test_a_host_that_fails_in_a_row_gets_nothing_for_a_while_and_the_others_go_on() -> None:
    world = World()
    world.fail(IN_A_ROW)
    error = world.refused()
    assert error.after_s == FIRST_S * 1.5, "those that wait do not all come back at once"
    assert "a.example.com" in str(error)
    assert "secret" not in str(error)
    assert world.hosts.check(URL_B) is False


def test_a_connection_in_between_begins_the_count_anew() -> None:
    world = World()
    world.fail(IN_A_ROW - 1)
    world.hosts.connected(URL_A)
    world.fail(IN_A_ROW - 1)
    assert world.hosts.check(URL_A) is False


def test_one_request_finds_out_while_the_others_wait() -> None:
    world = World()
    world.fail(IN_A_ROW)
    world.clock.forward(FIRST_S)
    assert world.hosts.check(URL_A) is True
    world.refused()
    world.hosts.connected(URL_A)
    assert world.hosts.check(URL_A) is False


def test_what_was_sent_before_does_not_make_the_wait_longer_and_what_finds_out_does() -> None:
    world = World()
    world.fail(IN_A_ROW)
    for _ in range(20):
        world.hosts.failed(URL_A, found_out=False)
    waits = []
    for _ in range(6):
        world.clock.forward((world.refused().after_s or 0) + LONGEST_S)
        world.fail()
        waits.append((world.refused().after_s or 0) / 1.5)
    assert waits == [10, 20, 40, LONGEST_S, LONGEST_S, LONGEST_S]


def test_one_that_finds_out_and_is_never_heard_of_is_followed_by_another() -> None:
    world = World()
    world.fail(IN_A_ROW)
    world.clock.forward(FIRST_S)
    assert world.hosts.check(URL_A) is True
    world.clock.forward(FIRST_S)
    assert world.hosts.check(URL_A) is True
