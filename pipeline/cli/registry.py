"""The schema registry of the settings: a client for it, and its ids for this process."""

from avro import ContractError, Contracts, registry
from avro.contracts import install
from avro.errors import RegistryUnavailable
from pipeline.errors import Problem
from pipeline.settings import Settings
from topics import catalogue, subjects


def registry_client(settings: Settings, url: str = "") -> registry.Registry:
    """A client of the registry at `url`, or else of the settings. Raises Problem when neither names one."""
    section = settings.schema_registry
    address = url or section.url
    if not address:
        raise Problem("no schema registry is named", "Give its address with --url, or set schema_registry.url")
    if not address.startswith(("http://", "https://")):
        raise Problem(f"{address} is not the address of a schema registry", "It begins with http:// or https://")
    return registry.Registry(address, section.user, section.password.get_secret_value())


def use_registry(settings: Settings) -> None:
    """Take the schema ids of this process from the registry, when the settings name one; else they are the pinned ones.

    For the start of every command that reads or writes records, before anything calls `contracts()`. Raises Problem.
    """
    found = registry_contracts(settings)
    if found is not None:
        install(found)


def registry_contracts(settings: Settings) -> Contracts | None:
    """The contracts with the registry's ids; None when the settings name no registry. Raises Problem."""
    if not settings.schema_registry.url:
        return None
    client = registry_client(settings)
    try:
        return registry.contracts_of(client, subjects(catalogue(settings.kafka.topic_prefix)))
    except RegistryUnavailable as error:
        raise Problem(
            f"the schema registry at {error}", "Start it, or empty schema_registry.url to use the pinned ids"
        ) from error
    except ContractError as error:
        raise Problem(
            str(error), "Without a registry, with schema_registry.url empty, the pinned ids are used"
        ) from error
