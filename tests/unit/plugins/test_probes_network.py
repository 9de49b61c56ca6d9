"""The ports sampler on made-up interfaces, and on InfiniBand counters recorded on a real H100 host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mleconsole.api import Absent, Port
from mleconsole_plugins.network import remote
from mleconsole_plugins.network.probes import KEEPS, parse_ports

RECORDED = Path(__file__).parents[4] / "shared/data/infiniband/sysfs_h100"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def interface(root: Path, name: str, **files: str) -> Path:
    base = root / "class/net" / name
    (base / "statistics").mkdir(parents=True)
    told = {"type": "1", "flags": "0x1003", "operstate": "up", "carrier": "1", "speed": "100000"} | files
    for file, text in told.items():
        (base / file).write_text(text + "\n")
    for counter in ("rx_bytes", "tx_bytes", *remote.ETHERNET_ERRORS):
        (base / "statistics" / counter).write_text("0\n")
    return base


@pytest.fixture
def state(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "class/net").mkdir(parents=True)
    return {"options": {}, "sys": str(tmp_path), "clock": Clock()}


def sample(state: dict[str, Any]) -> dict[str, Port]:
    (records,) = parse_ports(msgspec.json.encode(remote.sample_ports(state)), "node01").records.values()
    return {record.name: record for record in records.values()}


def test_rates_are_measured_between_two_samples(state: dict[str, Any], tmp_path: Path) -> None:
    base = interface(tmp_path, "eth0")
    assert sample(state)["eth0"] == Port(
        name="eth0", layer="ethernet", state="up", rate_gbps=100.0, rx_bytes=0, tx_bytes=0, errors=0, host="node01"
    )
    (base / "statistics/rx_bytes").write_text("2500000000\n")
    (base / "statistics/tx_bytes").write_text("1250000\n")
    for counter in remote.ETHERNET_ERRORS:
        (base / "statistics" / counter).write_text("2\n")
    state["clock"].now += 2.0
    port = sample(state)["eth0"]
    assert (port.rx_gbps, port.tx_gbps, port.errors) == (10.0, 0.005, 8)
    (base / "statistics/rx_bytes").write_text("5\n")
    state["clock"].now += 2.0
    assert sample(state)["eth0"].rx_gbps == Absent("its counter began anew")


@pytest.mark.parametrize("name", ["lo", "veth12ab", "docker0", "br-77", "virbr0", "cali1", "tun0", "bonding_masters"])
def test_interfaces_of_containers_and_tunnels_are_left_out(state: dict[str, Any], tmp_path: Path, name: str) -> None:
    interface(tmp_path, name)
    assert sample(state) == {}


@pytest.mark.parametrize("name", ["eth0", "ib0", "eno1", "enp1s0f0", "bond0", "hsn0", "ens5", "team0"])
def test_ports_count_whatever_their_name(state: dict[str, Any], tmp_path: Path, name: str) -> None:
    interface(tmp_path, name)
    assert list(sample(state)) == [name]


def test_an_unused_socket_is_left_out_and_a_lost_link_is_not(state: dict[str, Any], tmp_path: Path) -> None:
    interface(tmp_path, "eno2", flags="0x1002", operstate="down")
    base = interface(tmp_path, "eth0")
    interface(tmp_path, "ib0", flags="0x1002", operstate="down")
    interface(tmp_path, "eth9", operstate="down")
    assert set(sample(state)) == {"eth0", "ib0", "eth9"}
    (base / "flags").write_text("0x1002\n")
    (base / "operstate").write_text("down\n")
    assert sample(state)["eth0"].state == "down"


def test_a_speed_that_is_not_told_is_absent(state: dict[str, Any], tmp_path: Path) -> None:
    interface(tmp_path, "eth0", speed="-1", operstate="unknown")
    port = sample(state)["eth0"]
    assert port.rate_gbps == Absent("not told by the driver")
    assert port.state == "up", "its carrier tells"


def test_a_host_without_sys_has_no_ports(state: dict[str, Any], tmp_path: Path) -> None:
    state["sys"] = str(tmp_path / "nowhere")
    assert sample(state) == {}


@pytest.fixture
def infiniband(tmp_path: Path) -> Path:
    """A /sys whose class/infiniband is a recording."""
    found = sorted(RECORDED.glob("sys-class-infiniband-*"))
    if not found:
        pytest.skip(f"no recorded InfiniBand counters at {RECORDED}")
    (tmp_path / "class").mkdir(exist_ok=True)
    (tmp_path / "class/infiniband").symlink_to(found[0])
    return found[0]


def test_recorded_infiniband_ports(state: dict[str, Any], infiniband: Path) -> None:
    ports = sample(state)
    assert set(ports) == {path.name for path in infiniband.iterdir()}
    port = ports["mlx5_0"]
    assert (port.layer, port.state, port.rate_gbps) == ("infiniband", "active", 400.0)
    data = int((infiniband / "mlx5_0/ports/1/counters/port_rcv_data").read_text())
    assert port.rx_bytes == 4 * data, "the counter is in units of four octets"
    assert port.errors == 15 + 14, "overruns and receive errors; switch relay errors and waits are none"
    assert ports["mlx5_1"].errors == 15 + 14 + 255
    bond = ports["mlx5_bond_0"]
    assert (bond.layer, bond.rate_gbps) == ("ethernet", 200.0)


def test_ip_over_infiniband_is_not_counted_twice(state: dict[str, Any], infiniband: Path, tmp_path: Path) -> None:
    interface(tmp_path, "ib0", type="32")
    assert "ib0" not in sample(state)


def test_ip_over_infiniband_alone_is_told(state: dict[str, Any], tmp_path: Path) -> None:
    interface(tmp_path, "ib0", type="32")
    assert sample(state)["ib0"].layer == "infiniband"


def test_ports_of_a_dual_adapter_are_named_as_nccl_does(state: dict[str, Any], tmp_path: Path) -> None:
    for port in ("1", "2"):
        base = tmp_path / "class/infiniband/mlx5_0/ports" / port
        base.mkdir(parents=True)
        (base / "state").write_text("1: DOWN\n")
    ports = sample(state)
    assert set(ports) == {"mlx5_0:1", "mlx5_0:2"}
    assert ports["mlx5_0:1"].state == "down"
    assert ports["mlx5_0:1"].rx_bytes == ports["mlx5_0:1"].errors == Absent("not told by the driver")


def test_this_machine() -> None:
    assert isinstance(sample({"options": {}}), dict)


def test_keeps_are_fields() -> None:
    assert {keep.field for keep in KEEPS} == {"rx_gbps", "tx_gbps"}
    assert all(keep.field in Port.__struct_fields__ for keep in KEEPS)
