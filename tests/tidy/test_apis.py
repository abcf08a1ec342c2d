"""What is served is what the release advertises, and the README's table of it is fresh."""

from __future__ import annotations

from reference_broker.apis import catalogue
from reference_broker.apis.registry import BROKER, CONTROLLER, handler_modules
from reference_broker.releases import RELEASES


def test_an_api_serves_the_versions_that_any_release_advertises() -> None:
    wrong = []
    for module in handler_modules():
        for kind in module.LISTENERS:
            found = [release.advertised(kind).get(int(module.API), ()) for release in RELEASES.values()]
            advertised = sorted({version for versions in found for version in versions})
            if advertised != list(module.VERSIONS):
                wrong.append(f"{module.__name__} serves {list(module.VERSIONS)}, advertised on {kind}: {advertised}")
    assert not wrong, "\n".join(wrong)


def test_an_api_is_served_on_every_kind_of_listener_that_advertises_it() -> None:
    advertised = {kind: [one.advertised(kind) for one in RELEASES.values()] for kind in (BROKER, CONTROLLER)}
    served: dict[int, list[str]] = {}
    for module in handler_modules():
        served.setdefault(int(module.API), []).extend(module.LISTENERS)
    expected = {
        key: sorted(kind for kind, found in advertised.items() if any(key in one for one in found)) for key in served
    }
    assert {key: sorted(kinds) for key, kinds in served.items()} == expected


def test_the_table_in_the_readme_is_fresh() -> None:
    text = catalogue.README.read_text(encoding="utf-8")
    assert catalogue.replaced(text) == text, "run python -m reference_broker.apis.catalogue"
