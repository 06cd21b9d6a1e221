//! A new rule in JavaScript or TypeScript.

use super::{File, Project};

/// What to install, and how to test without WebAssembly.
pub const README: &str = include_str!("javascript/README.md.in");

/// The files of the language. The source is the same but for its types.
pub fn files(project: &Project, typescript: bool) -> Vec<File> {
    let rule = project.fill(&spoken(include_str!("javascript/rule.in"), typescript));
    let test = project.fill(&spoken(include_str!("javascript/test.in"), typescript));
    let package = project.fill(&spoken(include_str!("javascript/package.json.in"), typescript));
    if typescript {
        vec![
            File { path: "package.json", text: package },
            File { path: "tsconfig.json", text: include_str!("javascript/tsconfig.json.in").to_owned() },
            File { path: "src/rule.ts", text: rule },
            File { path: "src/rule.test.ts", text: test },
        ]
    } else {
        vec![
            File { path: "package.json", text: package },
            File { path: "src/rule.js", text: rule },
            File { path: "src/rule.test.js", text: test },
        ]
    }
}

/// A template in one of the two languages: `<<...>>` is for TypeScript alone, a line that begins with `JS|` or `TS|` for one
/// of them.
fn spoken(template: &str, typescript: bool) -> String {
    let mut out = String::with_capacity(template.len());
    for line in template.lines() {
        let line = match (line.strip_prefix("JS|"), line.strip_prefix("TS|")) {
            (Some(_), _) if typescript => continue,
            (_, Some(_)) if !typescript => continue,
            (Some(line), _) | (_, Some(line)) => line,
            (None, None) => line,
        };
        let mut rest = line;
        while let Some((before, after)) = rest.split_once("<<") {
            let (types, after) = after.split_once(">>").unwrap_or((after, ""));
            out += before;
            if typescript {
                out += types;
            }
            rest = after;
        }
        out += rest;
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::spoken;

    #[test]
    fn types_are_for_typescript_alone() {
        let template = "JS|a\nTS|b\nf(x<<: string>>, y<<: T>>)";
        assert_eq!(spoken(template, false), "a\nf(x, y)\n");
        assert_eq!(spoken(template, true), "b\nf(x: string, y: T)\n");
    }
}
