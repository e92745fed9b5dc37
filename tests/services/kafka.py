"""A real Kafka broker for tests: one KRaft node on loopback ports, its data in a temporary folder.

Tried in this order: the address in `COVENANT_TEST_KAFKA`; a container engine;
Java, with the broker's jars fetched once by Maven into `.tools/kafka`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kafka.admin import KafkaAdminClient, NewTopic

from tests.services.parts import (
    TOOLS,
    MissingPart,
    Program,
    container_engine,
    free_ports,
    run,
    tail,
    wait_until,
)

if TYPE_CHECKING:
    from types import TracebackType

VERSION = "4.1.2"
IMAGE = "apache/kafka:4.1.0"
PLUGIN_VERSION = "3.8.1"
JARS = TOOLS / "kafka" / VERSION
READY_S_MAX = 90.0
HEAP = "512m"

LOG4J = """\
status = error
appender.console.type = Console
appender.console.name = out
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c{1})%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
logger.kafka.name = kafka.server
logger.kafka.level = info
"""


def settings(broker_port: int, controller_port: int, data: Path) -> dict[str, str]:
    """The broker's properties: one combined node, small segments, no automatic topics."""
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
        "listeners": f"PLAINTEXT://127.0.0.1:{broker_port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{broker_port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": str(data),
        "log.segment.bytes": str(16 << 20),
        "log.index.size.max.bytes": str(1 << 20),
        "log.cleaner.dedupe.buffer.size": str(8 << 20),
        "offsets.topic.num.partitions": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "auto.create.topics.enable": "false",
        "num.partitions": "1",
        "controlled.shutdown.enable": "false",
    }


def prepare() -> None:
    """Make sure a broker could be started here: find an engine, or fetch the jars once."""
    if os.environ.get("COVENANT_TEST_KAFKA") or container_engine():
        return
    if shutil.which("java") is None:
        message = "Kafka: set COVENANT_TEST_KAFKA, or install a container engine, or Java 17 and Maven"
        raise MissingPart(message)
    if (JARS / "complete").exists():
        return
    maven = shutil.which("mvn")
    if maven is None:
        message = "Kafka: Java is here but Maven (mvn) isn't, which fetches the broker's jars"
        raise MissingPart(message)
    shutil.rmtree(JARS, ignore_errors=True)
    JARS.mkdir(parents=True)
    command = [
        maven,
        "-B",
        "-q",
        "-f",
        str(Path(__file__).with_name("broker.xml")),
        f"-Dkafka.version={VERSION}",
        f"-Dplugin.version={PLUGIN_VERSION}",
        "dependency:copy-dependencies",
        f"-DoutputDirectory={JARS}",
        "-DincludeScope=runtime",
    ]
    try:
        run(command)
    except (RuntimeError, OSError) as error:
        message = f"Kafka: Maven could not fetch the broker: {error}"
        raise MissingPart(message) from error
    (JARS / "complete").touch()


class KafkaServer:
    """A broker to start, stop, kill and restart; `bootstrap` is its `host:port`."""

    def __init__(self) -> None:
        """Prepare without starting; raises MissingPart with what is missing."""
        prepare()
        given = os.environ.get("COVENANT_TEST_KAFKA")
        self._folder: Path | None = None
        self._program: Program | None = None
        self._container: str | None = None
        if given:
            self.bootstrap = given
            return
        self._broker_port, self._controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self._broker_port}"
        if container_engine():
            self._container = f"covenant-test-kafka-{uuid.uuid4().hex[:12]}"
        else:
            self._folder = Path(tempfile.mkdtemp(prefix="covenant-kafka-"))

    @property
    def controllable(self) -> bool:
        """Whether it is ours to kill and restart (an address from the environment isn't)."""
        return bool(self._container or self._folder)

    @property
    def pid(self) -> int | None:
        """The broker's process id when it runs as a plain process."""
        return self._program.pid if self._program else None

    def __enter__(self) -> Self:
        """Start and wait until it answers; a failed start leaves nothing behind."""
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop and remove everything."""
        self.close()

    def start(self) -> None:
        """Start, with the data of the run before if there was one, and wait until ready."""
        if self._container:
            self._start_container(self._container)
        elif self._folder:
            self._start_program(self._folder)
        wait_until(self._ready, READY_S_MAX, self._describe)

    def stop(self) -> None:
        """An orderly stop; the data stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill -9; the data stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop in order and start again on the same port with the same data."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop for good and remove the data."""
        if self._container:
            engine = container_engine()
            with contextlib.suppress(RuntimeError):
                run([str(engine), "rm", "--force", "--volumes", self._container])
        if self._program:
            self._program.end(signal.SIGKILL)
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def create_topic(self, name: str, partitions: int = 1, **configs: str) -> None:
        """Create one topic with one replica."""
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            topic = NewTopic(name, num_partitions=partitions, replication_factor=1, topic_configs=configs)
            admin.create_topics([topic])
        finally:
            admin.close()

    def _end(self, how: signal.Signals) -> None:
        if not self.controllable:
            message = "the broker of COVENANT_TEST_KAFKA isn't ours to stop"
            raise RuntimeError(message)
        if self._container:
            verb = "kill" if how is signal.SIGKILL else "stop"
            run([str(container_engine()), verb, self._container])
        elif self._program:
            self._program.end(how)

    def _start_container(self, name: str) -> None:
        engine = str(container_engine())
        if run([engine, "ps", "--all", "--quiet", "--filter", f"name={name}"]).strip():
            run([engine, "start", name])
            return
        properties = settings(9092, 9093, Path("/var/lib/kafka/data"))
        properties["listeners"] = "PLAINTEXT://:9092,CONTROLLER://:9093"
        properties["advertised.listeners"] = f"PLAINTEXT://{self.bootstrap}"
        command = [engine, "run", "--detach", "--name", name]
        command += ["--publish", f"127.0.0.1:{self._broker_port}:9092"]
        command += ["--env", f"KAFKA_HEAP_OPTS=-Xms{HEAP} -Xmx{HEAP}"]
        for key, value in properties.items():
            command += ["--env", f"KAFKA_{key.replace('.', '_').upper()}={value}"]
        run([*command, IMAGE])

    def _start_program(self, folder: Path) -> None:
        java = [str(shutil.which("java")), "-cp", f"{JARS}/*"]
        config = folder / "server.properties"
        if self._program is None:
            properties = settings(self._broker_port, self._controller_port, folder / "data")
            config.write_text("".join(f"{key}={value}\n" for key, value in properties.items()))
            (folder / "log4j2.properties").write_text(LOG4J)
            run([*java, "kafka.tools.StorageTool", "format", "-t", "covenant-test-node-01A", "-c", str(config)])
            options = [f"-Xms{HEAP}", f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=4"]
            logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
            self._program = Program([java[0], *options, logging, *java[1:], "kafka.Kafka", str(config)], folder / "broker.log")
        self._program.start()

    def _ready(self) -> bool:
        if self._program and not self._program.running():
            raise RuntimeError(self._describe())
        try:
            admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=1000)
        except Exception:  # noqa: BLE001 - any refusal means "not yet"; the deadline ends it
            return False
        try:
            admin.list_topics()
        except Exception:  # noqa: BLE001 - as above
            return False
        finally:
            admin.close()
        return True

    def _describe(self) -> str:
        if self._program:
            return f"Kafka isn't ready on {self.bootstrap}; its log ends:\n{tail(self._program.log)}"
        if self._container:
            with contextlib.suppress(RuntimeError):
                log = run([str(container_engine()), "logs", "--tail", "30", self._container])
                return f"Kafka isn't ready on {self.bootstrap}; its log ends:\n{log}"
        return f"Kafka isn't ready on {self.bootstrap}"
