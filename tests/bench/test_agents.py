"""What the bench asks about user agents is what it says."""

from api.hits.agents import Agents
from api.hits.agents_table import LISTS
from api.hits.traits import Trait
from bench.agents import SHAPES, long_lists, make_addresses, make_user_agents


def test_user_agents_are_distinct_and_of_the_kinds_that_logs_have() -> None:
    made = make_user_agents(900, seed=1)
    assert len(set(made)) == 900
    for lists in (LISTS, long_lists(100)):
        agents = Agents(lists)
        facts = [agents.find(user_agent) for user_agent in made]
        assert sum(fact.traits == Trait.BOT for fact in facts) == 900 // len(SHAPES)
        assert sum(fact.app == "" for fact in facts) == 2 * 900 // len(SHAPES)


def test_addresses_are_multiples_of_the_step() -> None:
    assert all(host.endswith(".0") for host in make_addresses(50, seed=1, step=256))
