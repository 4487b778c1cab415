//! Which destinations are not on the public internet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::broker::settings::{Limits, PrivateDestinations};
use crate::error::{Code, Error, Result};
use crate::wire::duration::shown;

/// Refuses a URL whose host is private, unless the limits allow it or the host has a way of its own there.
///
/// [`Code::PrivateDestination`] names the host and the setting.
pub fn check(url: &str, limits: &Limits) -> Result<()> {
    if limits.private_destinations == PrivateDestinations::Allowed {
        return Ok(());
    }
    let Ok(parsed) = Url::parse(url) else {
        return Err(Error::new(Code::InvalidUrl, "the destination is not an absolute URL"));
    };
    let is_public = match parsed.host() {
        Some(Host::Ipv4(address)) => !is_private_v4(address),
        Some(Host::Ipv6(address)) => !is_private_v6(address),
        Some(Host::Domain(name)) => !is_private_name(name),
        None => false,
    };
    if is_public || limits.own_origins.contains(&parsed.origin().ascii_serialization()) {
        return Ok(());
    }
    Err(refusal(parsed.host_str().unwrap_or_default()))
}

/// The error for a destination on a private host.
pub fn refusal(host: &str) -> Error {
    Error::new(
        Code::PrivateDestination,
        format!(
            "the destination's host '{}' is private or reserved, and this broker sends to the public internet only; \
             the setting BROKER_PRIVATE_DESTINATIONS=allow permits it",
            shown(host)
        ),
    )
}

/// Scheme and authority of a URL, as they stand in [`Limits::own_origins`].
pub fn origin(url: &str) -> Option<String> {
    Url::parse(url).ok().map(|url| url.origin().ascii_serialization())
}

/// Whether an address is not on the public internet: loopback, private and link-local networks, those that are shared,
/// reserved, for documentation, benchmarks or multicast, and IPv6 addresses that lead to such an IPv4 address.
///
/// Hosts that resolve names themselves ask this about every address that a destination's name has, and connect to the
/// address that they asked about. Source: IANA's registries of special-purpose addresses.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

/// Networks by their first address and the number of bits that count.
const PRIVATE_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::UNSPECIFIED, 8),            // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by carriers
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's platform, which only its machines reach
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(233, 252, 0, 0), 24),   // documentation
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

fn is_private_v4(address: Ipv4Addr) -> bool {
    let within = |(network, bits): &(Ipv4Addr, u32)| (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0;
    PRIVATE_V4.iter().any(within)
}

/// Of IPv6, only `2000::/3` is public, without what is taken out of it; the rest leads to an IPv4 address, or nowhere.
#[allow(clippy::many_single_char_names)] // segments, from left to right
fn is_private_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| is_private_v4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match (a, b) {
        // Mapped.
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => v4(g, h),
        // NAT64, with the well-known prefix.
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => v4(g, h),
        // Teredo: the server, and the client with its bits turned.
        (0x2001, 0) => v4(c, d) || v4(!g, !h),
        // Protocol assignments, documentation.
        (0x2001, 0x0001..=0x01ff | 0x0db8) | (0x3fff, 0x0000..=0x0fff) => true,
        // 6to4.
        (0x2002, high) => v4(high, c),
        // ISATAP within a public network.
        (0x2000..=0x3fff, _) => matches!((e, f), (0 | 0x0200, 0x5efe)) && v4(g, h),
        _ => true,
    }
}

/// Names that public name servers have no address for, or must not have one.
const PRIVATE_NAMES: [&str; 10] =
    ["localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa"];

fn is_private_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let within = |parent: &&str| name.strip_suffix(*parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    !name.contains('.') || PRIVATE_NAMES.iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        crate::broker::Settings::new("t", "a", "b").limits
    }

    fn is_refused(url: &str) -> bool {
        let url = crate::broker::target::url(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        match check(&url, &limits()) {
            Ok(()) => false,
            Err(error) => {
                assert_eq!(error.code(), Code::PrivateDestination);
                assert!(error.message().contains("BROKER_PRIVATE_DESTINATIONS=allow"), "{error}");
                true
            }
        }
    }

    #[test]
    fn private_hosts_are_refused_however_they_are_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.255.255.254:3000/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://0x7f000001/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://0/",
            "http://10.1.2.3/",
            "http://100.64.0.1/",
            "http://100.127.255.255/",
            "http://169.254.169.254/latest/meta-data/",
            "http://168.63.129.16/",
            "http://172.16.0.1/",
            "http://172.31.255.255/",
            "http://192.168.0.1/",
            "http://192.0.0.8/",
            "http://192.0.2.1/",
            "http://192.88.99.1/",
            "http://198.19.0.1/",
            "http://198.51.100.1/",
            "http://203.0.113.1/",
            "http://224.0.0.1/",
            "http://239.255.255.255/",
            "http://255.255.255.255/",
            "http://[::]/",
            "http://[::1]:8080/",
            "http://[::7f00:1]/",
            "http://[::8.8.8.8]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:a9fe:a9fe]/",
            "http://[::ffff:0:8.8.8.8]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[64:ff9b:1::808:808]/",
            "http://[100::1]/",
            "http://[2001:0:7f00:1::1]/",
            "http://[2001:0:808:808::f5ff:fffe]/",
            "http://[2001:2::1]/",
            "http://[2001:20::1]/",
            "http://[2001:db8::1]/",
            "http://[2002:c0a8:1::1]/",
            "http://[2606:4700::5efe:10.0.0.1]/",
            "http://[3fff::1]/",
            "http://[5f00::1]/",
            "http://[fc00::1]/",
            "http://[fd12:3456::1]/",
            "http://[fe80::1]/",
            "http://[fec0::1]/",
            "http://[ff02::1]/",
            "http://localhost:3000/",
            "http://LOCALHOST./",
            "http://api.localhost/",
            "http://printer.local/",
            "http://metadata.google.internal/",
            "http://nas.home.arpa/",
            "http://router.lan/",
            "http://intranet/",
            "https://broker:8080/",
        ] {
            assert!(is_refused(url), "{url}");
        }
    }

    #[test]
    fn public_hosts_are_not() {
        for url in [
            "https://example.com/",
            "https://localhost.example.com/",
            "https://internal.example.com/",
            "https://mylocal.dev/",
            "https://home.arpa.example/",
            "http://8.8.8.8/",
            "http://100.63.255.255/",
            "http://100.128.0.1/",
            "http://172.15.255.255/",
            "http://172.32.0.1/",
            "http://169.253.0.1/",
            "http://192.0.1.1/",
            "http://198.17.255.255/",
            "http://198.20.0.1/",
            "http://223.255.255.255/",
            "http://[2606:4700:4700::1111]/",
            "http://[2a00:1450:4001::200e]/",
            "http://[::ffff:8.8.8.8]/",
            "http://[64:ff9b::8.8.8.8]/",
            "http://[2002:808:808::1]/",
            "http://[2001:200::1]/",
            "http://[2001:0:808:808::f7f7:f7f7]/",
        ] {
            assert!(!is_refused(url), "{url}");
        }
    }

    #[test]
    fn addresses_of_resolvers_are_judged_alike() {
        for (address, private) in [("127.0.0.1", true), ("1.1.1.1", false), ("::1", true), ("2606:4700::1", false)] {
            assert_eq!(is_private(address.parse().unwrap()), private, "{address}");
        }
    }

    #[test]
    fn an_origin_of_the_hosts_own_is_not_private() {
        let mut limits = limits();
        limits.own_origins.insert(origin("http://localhost:8787/v2/keys").unwrap());
        assert!(check("http://localhost:8787/api/order", &limits).is_ok());
        assert!(check("http://localhost:8788/api/order", &limits).is_err());
        limits.private_destinations = PrivateDestinations::Allowed;
        assert!(check("http://localhost:8788/", &limits).is_ok());
    }
}
