"""Where signed requests may go."""

from __future__ import annotations

import re
import traceback
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from airflow_css.client.endpoints import (
    REGIONS as KNOWN,
)
from airflow_css.client.endpoints import (
    check_endpoint,
    check_proxy,
    endpoint_of_region,
    iam_endpoint_of_region,
    region_doubt,
)
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
    assert region_doubt(region) == ""


def test_the_table_has_the_regions_of_the_source() -> None:
    """No region is missing from the table or invented by it."""
    assert set(REGIONS) == KNOWN


def test_the_official_sdk_has_the_same_addresses() -> None:
    """The table of the official SDK, where it is installed, says the same for each of its regions."""
    sdk = pytest.importorskip("huaweicloudsdkcss.v1.region.css_region", reason="the official SDK is not installed")
    theirs = {region.id: region.endpoints[0] for region in sdk.CssRegion.static_fields.values()}
    assert set(theirs) == set(REGIONS)
    assert {region: endpoint_of_region(region) for region in theirs} == theirs


NEW_REGIONS = {
    "cn-north-3": "cn-north-1, cn-north-2, cn-north-4, cn-north-9",
    "ap-southeast-6": "ap-southeast-1",
    "cn-west-1": "tr-west-1",
    "me-west-1": "me-east-1",
    "kr-seoul-1": "",
}


@pytest.mark.parametrize("region", NEW_REGIONS)
def test_a_new_region_gets_the_address_of_its_name_and_a_warning(region: str) -> None:
    """Nobody waits for a new version of this package when the cloud opens a region; near ones are named."""
    assert endpoint_of_region(region) == f"https://css.{region}.myhuaweicloud.com"
    assert repr(region) in region_doubt(region)
    assert endpoint_of_region(region) in region_doubt(region)
    assert NEW_REGIONS[region] in region_doubt(region)
    assert ("Near it are" in region_doubt(region)) is bool(NEW_REGIONS[region])
    assert iam_endpoint_of_region(region) == iam_endpoint_of_region("") == "https://iam.myhuaweicloud.com"


SLIPS = {
    "cn-nroth-4": "cn-north-4",
    "cn-norht-4": "cn-north-4",
    "cn-north4": "cn-north-4",
    "ap-southest-1": "ap-southeast-1",
    "eu-wst-101": "eu-west-101",
    "ru-moskow-1": "ru-moscow-1",
    "my-kualalumpr-1": "my-kualalumpur-1",
    "sa-brasil-2": "sa-brazil",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_misspelt_region_is_an_error_with_both_ways_out(slip: str) -> None:
    """A slip would become a host that does not answer; the message has the right region, and the way for a new one."""
    with pytest.raises(CssConfigError) as caught:
        endpoint_of_region(slip)
    assert f"Did you mean '{SLIPS[slip]}" in str(caught.value)
    host = re.findall(r"set the host of the connection to '(.*)'", str(caught.value))[0]
    assert check_endpoint(host) == f"https://css.{slip}.myhuaweicloud.com"


BAD_REGIONS = [
    "cn-" + "n" * 61,
    "cn-north-4%2e",
    "cn-north-4\\x",
    "cn-north-4\r\nHost: x",
    "cn-nörth-4",
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
    "https://css.example.com%2F@elsewhere.example.com",
    "https://css.example.com%00",
    "https://css.example.com\r\nHost: elsewhere",
    "https://css.example.com\x00",
    "https://css.example.com。elsewhere",
    "https:\\\\css.example.com",
    "https://1.2.3.4.5",
    "https://127.1",
    "https://2852039166",
    "https://0xa9fea9fe",
    "https://0251.0376.0251.0376",
    "https://169.254.43518",
]


@pytest.mark.parametrize("endpoint", REFUSED)
def test_what_is_more_or_less_than_an_address_is_refused(endpoint: str) -> None:
    """The message shows what was given and an address that passes."""
    with pytest.raises(CssConfigError) as caught:
        check_endpoint(endpoint)
    # What stands before an @ or behind a question mark may be a secret.
    shown = re.sub(r"[?#].*", "?***", re.sub(r"[^/@]*@", "***@", endpoint), flags=re.DOTALL)
    assert repr(shown) in str(caught.value)
    example_given = re.findall(r"For example: '(.*)'", str(caught.value))[0]
    assert check_endpoint(example_given) == example_given


PLAIN = [
    "http://css.example.com",
    "http://192.0.2.7:80",
    "http://localhost.example.com",
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


METADATA = [
    "169.254.169.254",
    "169.254.0.23",
    "[fe80::a9fe:a9fe]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "0.0.0.0",  # noqa: S104 - refused, never bound to
    "[::]",
    "224.0.0.1",
    "[ff02::1]",
]


@pytest.mark.parametrize("host", METADATA)
@pytest.mark.parametrize("scheme", ["", "http://", "https://"])
def test_the_address_that_hands_out_keys_is_no_endpoint(scheme: str, host: str) -> None:
    """No connection leads to the machine's own metadata, however it is written and whatever the deployment allows."""
    text = f"{scheme}{host}:80"
    with pytest.raises(CssConfigError, match="is an address of this machine's own network"):
        check_endpoint(text, allow_http_hosts=[host.strip("[]")])
    with pytest.raises(CssConfigError, match="is an address of this machine's own network"):
        check_proxy(text)


PROXIES = {
    "proxy.example.com": "http://proxy.example.com",
    "proxy.example.com:3128": "http://proxy.example.com:3128",
    "https://Proxy.example.com:3128/": "https://proxy.example.com:3128",
    "http://user:pass%40word@proxy.example.com:3128": "http://user:pass%40word@proxy.example.com:3128",
    "user@127.0.0.1:3128": "http://user@127.0.0.1:3128",
    "http://user:@[::1]:3128": "http://user:@[::1]:3128",
}


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_proxy_is_an_address_with_or_without_a_login(proxy: str) -> None:
    """Scheme, login, host and port remain, and checking again changes nothing."""
    assert check_proxy(proxy) == PROXIES[proxy]
    assert check_proxy(PROXIES[proxy]) == PROXIES[proxy]


BAD_PROXIES = [
    "socks5://user:planted@proxy.example.com",
    "http://user:planted@proxy.example.com/path",
    "http://user:planted@proxy.example.com?x",
    "http://user:planted@",
    "http://user:planted@proxy example.com",
    "http://user:planted@proxy.example.com:port",
    "http://user:planted@proxy.example.com:99999",
    "http://user:planted/x@proxy.example.com",
    "http://user:planted@x@proxy.example.com",
    "http://user:planted#x@proxy.example.com",
    "http://user:planted%0d%0aX@proxy.example.com",
    "http://user:planted\r\n@proxy.example.com",
    "http://user:planted%zz@proxy.example.com",
    "http://user:plantedж@proxy.example.com",
    "http://user:planted[@proxy.example.com",
    "http://:planted@proxy.example.com",
    "http://user:planted@2852039166",
]


@pytest.mark.parametrize("proxy", BAD_PROXIES)
def test_a_bad_proxy_is_refused_without_its_password(proxy: str) -> None:
    """The message shows an address that passes, and neither user nor password; nor do the errors behind it."""
    with pytest.raises(CssConfigError) as caught:
        check_proxy(proxy)
    assert "planted" not in "".join(traceback.format_exception(caught.value))
    example_given = re.findall(r"For example: '(.*)'", str(caught.value))[0]
    assert check_proxy(example_given) == example_given


@given(st.text(max_size=40) | st.text(st.sampled_from("htps:/.[]@?#%0d19-_\\ \n"), max_size=40))
def test_any_text_is_a_proxy_or_refused(text: str) -> None:
    """What passes is read as the same host by everybody, and its login can stand in a header."""
    try:
        checked = check_proxy(text)
    except CssConfigError:
        return
    parts = urlsplit(checked)
    assert parts.scheme in {"http", "https"}
    assert parts.hostname
    assert parts.hostname in text.lower()
    assert unquote(parts.netloc.rpartition("@")[0]).isascii()
    assert unquote(parts.netloc).isprintable()
    assert check_proxy(checked) == checked


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
