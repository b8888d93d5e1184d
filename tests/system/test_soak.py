"""Twenty random kills of everything; make soak does two hundred and more."""

from conftest import charging
from crash.storm import Storm

KILLS, SEED = 20, 16        # another seed: tests/crash/soak --seed N


def test_sys16_rc13_random_kills_of_everything_lose_and_double_nothing(tmp_path):
    print(f"seed {SEED}")
    with charging(certd=True) as office:
        storm = Storm(office, str(tmp_path), SEED, large=20_000_000)
        storm.run(KILLS)
        storm.settle()
        print(storm.check())
