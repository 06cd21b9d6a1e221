//! The name of a browser from its `User-Agent`, so that people recognise their own session in a list.

/// Marks of browsers in that text. Several browsers also carry the mark of another, so the more particular ones come first.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];
/// Marks of systems.
const SYSTEMS: [(&str, &str); 7] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// The browser, its version and the system, such as `Firefox 140, Windows`; the text itself where no browser is known in it.
pub fn name(agent: &str) -> String {
    let found = BROWSERS.iter().find_map(|(mark, name)| Some((name, agent.split_once(mark)?.1)));
    let Some((browser, rest)) = found else { return agent.to_owned() };
    let version: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let system = SYSTEMS.iter().find(|(mark, _)| agent.contains(mark));
    let system = system.map(|(_, name)| format!(", {name}")).unwrap_or_default();
    format!("{browser} {version}{system}")
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_browser_is_called_as_people_call_it() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        assert_eq!(name(chrome), "Chrome 156, Linux");
        assert_eq!(
            name(&format!("{chrome} Edg/156.0.1").replace("X11; Linux", "Windows NT 10.0")),
            "Edge 156, Windows"
        );
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 Version/26.1 Mobile/15E148 Safari/604.1";
        assert_eq!(name(safari), "Safari 26, iPhone");
        assert_eq!(
            name("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox 140, macOS"
        );
        assert_eq!(name("curl/8.5.0"), "curl/8.5.0");
        assert_eq!(name(""), "");
    }
}
