"""Where signed requests may go."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.client.endpoints import check_endpoint, endpoint_of_region
from airflow_css.protocol.errors import CssConfigError

# The regions of the official SDK, huaweicloudsdkcss 3.1.219.
REGIONS = """
    cn-south-1 cn-south-2 cn-south-4 cn-east-2 cn-east-3 cn-east-4 cn-east-5 cn-north-1 cn-north-2 cn-north-4
    cn-north-9 cn-north-11 cn-north-12 cn-southwest-2 cn-southwest-3 ap-southeast-1 ap-southeast-2 ap-southeast-3
    ap-southeast-4 ap-southeast-5 sa-brazil-1 na-mexico-1 la-north-2 la-south-2 af-south-1 af-north-1 tr-west-1
    ae-ad-1 my-kualalumpur-1 me-east-1 ru-moscow-1 eu-west-101
""".split()  # noqa: SIM905 - easier to compare with the source
OLD = {"cn-north-1", "cn-east-2"}


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_has_its_address(region: str) -> None:
    """All regions follow one pattern, but for the two that keep the service's first name."""
    service = "es" if region in OLD else "css"
    address = endpoint_of_region(region)
    assert address == f"https://{service}.{region}.myhuaweicloud.com"
    assert check_endpoint(address) == address


def test_the_official_sdk_has_the_same_addresses() -> None:
    """The table of the official SDK, where it is installed, says the same for each of its regions."""
    sdk = pytest.importorskip("huaweicloudsdkcss.v1.region.css_region", reason="the official SDK is not installed")
    theirs = {region.id: region.endpoints[0] for region in sdk.CssRegion.static_fields.values()}
    assert set(theirs) == set(REGIONS)
    assert {region: endpoint_of_region(region) for region in theirs} == theirs


BAD_REGIONS = [
    "",
    "cn",
    "CN-north-4",
    "cn-north-4.evil.com",
    "cn north 4",
    "cn-north-4/",
    "cn-north-4\n",
    "../x",
    "a@b-c",
]


@pytest.mark.parametrize("region", BAD_REGIONS)
def test_what_is_no_region_gets_no_address(region: str) -> None:
    """Nothing but a region id is put into a host name."""
    with pytest.raises(CssConfigError, match=r"is not a region id\. For example: 'cn-north-4'"):
        endpoint_of_region(region)


@given(st.text(st.sampled_from("abcz019-.@/:#? \n"), max_size=20))
@example("cn-north-4.evil.com#")
def test_no_region_leads_elsewhere(region: str) -> None:
    """Whatever is called a region, the address lies in the domain of the cloud."""
    try:
        address = endpoint_of_region(region)
    except CssConfigError:
        return
    assert re.fullmatch(r"https://(css|es)\.[a-z0-9-]+\.myhuaweicloud\.com", address)


ACCEPTED = {
    "css.example.com": "https://css.example.com",
    " css.example.com ": "https://css.example.com",
    "https://css.example.com/": "https://css.example.com",
    "HTTPS://CSS.Example.COM:8443": "https://css.example.com:8443",
    "css.example.com:8443": "https://css.example.com:8443",
    "https://css_emulator": "https://css_emulator",
    "https://192.0.2.7": "https://192.0.2.7",
    "https://[2001:db8::1]:8443": "https://[2001:db8::1]:8443",
    "http://127.0.0.1:8099": "http://127.0.0.1:8099",
    "http://127.8.8.8": "http://127.8.8.8",
    "http://localhost:8099/": "http://localhost:8099",
    "http://[::1]:8099": "http://[::1]:8099",
}


@pytest.mark.parametrize("endpoint", ACCEPTED)
def test_an_address_is_brought_into_one_form(endpoint: str) -> None:
    """Scheme, host and port remain, and checking again changes nothing."""
    checked = check_endpoint(endpoint)
    assert checked == ACCEPTED[endpoint]
    assert check_endpoint(checked) == checked


REFUSED = [
    "",
    " ",
    "/",
    "https://",
    "http://",
    "https:///",
    "https://:443",
    "ftp://css.example.com",
    "file:///etc/passwd",
    "javascript://x",
    "https://user@css.example.com",
    "https://user:secret@css.example.com",
    "https://css.example.com@elsewhere.example.com",
    "https://css.example.com\\@elsewhere.example.com",
    "https://css.example.com/path",
    "https://css.example.com?query=1",
    "https://css.example.com#fragment",
    "https://css.example.com:port",
    "https://css.example.com:99999",
    "https://css.example.com:-1",
    "https://css example.com",
    "https://css.exam\nple.com",
    "https://css.exam\tple.com",
    "https://css..example.com",
    "https://.",
    "https://" + "a" * 64 + ".com",
    "https://[::1",
    "https://[::1%25eth0]",
    "https://[not-an-address]",
    "https://ex\u2100mple.com",
    "https://größe.example.com",
    "https://%65xample.com",
]


@pytest.mark.parametrize("endpoint", REFUSED)
def test_what_is_more_or_less_than_an_address_is_refused(endpoint: str) -> None:
    """The message shows what was given and an address that passes."""
    with pytest.raises(CssConfigError) as caught:
        check_endpoint(endpoint)
    # What stands before an @ or behind a question mark may be a secret.
    assert repr(re.sub(r"[?#].*", "?***", re.sub(r"[^/@]*@", "***@", endpoint))) in str(caught.value)
    example_given = re.findall(r"For example: '(.*)'", str(caught.value))[0]
    assert check_endpoint(example_given) == example_given


PLAIN = [
    "http://css.example.com",
    "http://192.0.2.7:80",
    "http://localhost.example.com",
    "http://0.0.0.0",
    "http://127.1",
]


@pytest.mark.parametrize("endpoint", PLAIN)
def test_plain_http_stays_on_this_machine(endpoint: str) -> None:
    """Without encryption only loopback is talked to, unless the deployment names the host."""
    with pytest.raises(CssConfigError, match="allow_http_hosts") as caught:
        check_endpoint(endpoint)
    assert check_endpoint(re.findall("'(https:.*?)'", str(caught.value))[0])
    host = urlsplit(endpoint).hostname or ""
    assert check_endpoint(endpoint, allow_http_hosts=[host]) == endpoint
    with pytest.raises(CssConfigError):
        check_endpoint(endpoint, allow_http_hosts=[f"x{host}", host[1:], ""])


@given(st.text(max_size=40) | st.text(st.sampled_from("htps:/.[]@?#%ab19-_\\ \n"), max_size=40))
@example("https://[::1")
@example("http:")
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """What passes has a scheme and a host and nothing else, and is read the same by everybody."""
    try:
        checked = check_endpoint(text)
    except CssConfigError:
        return
    parts = urlsplit(checked)
    assert parts.hostname
    assert parts.scheme == "https" or parts.hostname in {"localhost", "::1"} or parts.hostname.startswith("127.")
    assert checked == f"{parts.scheme}://{parts.netloc}"
    assert parts.hostname.strip("[]") in text.lower()
    assert check_endpoint(checked) == checked
