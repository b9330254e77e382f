"""The configuration files of the local broker: one small KRaft node."""

from pathlib import Path

from pipeline.local.ports import LOOPBACK

# Fixed: it names the only node of a cluster that never leaves this machine.
CLUSTER_ID = "HrZmQ2cUS12N0nlWP2RCoA"

OPTIONS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    "num.partitions": "12",
    # One node, so one copy of everything; few partitions, because each costs files and start-up time.
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # A consumer that starts need not wait for others that might start, too.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A worker that was killed is noticed soon; its open transaction ends soon after.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "2000",
    "log.retention.check.interval.ms": "60000",
    "log.cleaner.dedupe.buffer.size": "16777216",
    # Compaction of the state topics keeps restarts short; the default of 15 s between looks is too busy for idle.
    "log.cleaner.backoff.ms": "30000",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "4",
    "message.max.bytes": "8388608",
    "replica.fetch.max.bytes": "8388608",
    # After a kill -9 the node waits until its former life has expired: 9 s by default.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    # No empty records into the log of the metadata: they tell other controllers that this one lives; there are none.
    # By default there are two a second, a quarter of what the node does when nobody asks for anything.
    "metadata.max.idle.interval.ms": "0",
}

# How long a controller that runs alone waits for the broker that is known to be gone.
FENCING_SESSION_MILLISECONDS = 500

# What the controller says when a broker's partitions have no leader any more.
FENCED_WORDS = "handleBrokerFenced: changing"
ACTIVE_WORDS = "Performing controller activation"

FENCING_LOGGER = """\
logger.fencing.name = org.apache.kafka.controller.ReplicationControlManager
logger.fencing.level = info
"""

LOGGING = """\
status = error
appenders = file
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {log}
appender.file.filePattern = {log}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{yyyy-MM-dd'T'HH:mm:ss.SSS}} %p %c{{1}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 4MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 2
rootLogger.level = warn
rootLogger.appenderRefs = file
rootLogger.appenderRef.file.ref = file
"""


def write_server_properties(path: Path, data: Path, port: int, controller_port: int) -> Path:
    """Write the node's options for these ports and this data folder; returns the path."""
    options = {
        **OPTIONS,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "log.dirs": str(data),
    }
    path.write_text("".join(f"{name}={value}\n" for name, value in options.items()), encoding="utf-8")
    return path


def write_controller_properties(path: Path, data: Path, controller_port: int) -> Path:
    """Write the node's options for its controller alone, on the same data; returns the path."""
    options = {
        **OPTIONS,
        "process.roles": "controller",
        "broker.session.timeout.ms": str(FENCING_SESSION_MILLISECONDS),
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"CONTROLLER://{LOOPBACK}:{controller_port}",
        "log.dirs": str(data),
    }
    path.write_text("".join(f"{name}={value}\n" for name, value in options.items()), encoding="utf-8")
    return path


def write_fencing_logging_properties(path: Path, log: Path) -> Path:
    """Write the logging options of a controller that fences: its decisions about partitions, too."""
    path.write_text(LOGGING.format(log=log) + FENCING_LOGGER, encoding="utf-8")
    return path


def write_logging_properties(path: Path, log: Path) -> Path:
    """Write the logging options: warnings and errors into a small rolling file; returns the path."""
    path.write_text(LOGGING.format(log=log), encoding="utf-8")
    return path
