//! A new rule in JavaScript or TypeScript.

use super::{File, Language, Project};

/// What to install, and how to test without WebAssembly.
pub const README: &str = include_str!("javascript/README.md.in");

/// The files of one of the two languages. The source is the same but for its types.
pub fn files(project: &Project, language: Language) -> Vec<File> {
    let rule = project.fill(&spoken(include_str!("javascript/rule.in"), language));
    let test = project.fill(&spoken(include_str!("javascript/test.in"), language));
    let package = project.fill(&spoken(include_str!("javascript/package.json.in"), language));
    let typescript = language == Language::TypeScript;
    // Every package that is installed, those of packages too, is the one whose hash stands here.
    let locked = project.fill(if typescript {
        include_str!("javascript/package-lock.ts.json.in")
    } else {
        include_str!("javascript/package-lock.js.json.in")
    });
    let locked = File { path: "package-lock.json", text: locked };
    if typescript {
        vec![
            locked,
            File { path: "package.json", text: package },
            File { path: "tsconfig.json", text: include_str!("javascript/tsconfig.json.in").to_owned() },
            File { path: "src/rule.ts", text: rule },
            File { path: "src/rule.test.ts", text: test },
        ]
    } else {
        vec![
            locked,
            File { path: "package.json", text: package },
            File { path: "src/rule.js", text: rule },
            File { path: "src/rule.test.js", text: test },
        ]
    }
}

/// A template in one of the two languages: `<<...>>` is for TypeScript alone, a line that begins with `JS|` or `TS|` for one
/// of them.
fn spoken(template: &str, language: Language) -> String {
    let typescript = language == Language::TypeScript;
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
    use super::{Language, files, spoken};
    use crate::author::new::Project;
    use crate::rules::run::stage::Stage;

    #[test]
    fn the_lock_file_is_of_the_packages_that_are_named_and_has_each_ones_hash() {
        let project = Project::new("a-rule", &[Stage::Priority]).unwrap();
        for language in [Language::JavaScript, Language::TypeScript] {
            let files = files(&project, language);
            let json = |path: &str| -> serde_json::Value {
                serde_json::from_str(&files.iter().find(|file| file.path == path).unwrap().text).unwrap()
            };
            let (package, locked) = (json("package.json"), json("package-lock.json"));
            assert_eq!(locked["name"], "a-rule");
            assert_eq!(locked["packages"][""]["devDependencies"], package["devDependencies"]);
            for (name, package) in locked["packages"].as_object().unwrap().iter().filter(|(name, _)| !name.is_empty()) {
                let hash = package["integrity"].as_str().unwrap_or_default();
                assert!(hash.starts_with("sha512-"), "{name}");
                assert!(package.get("resolved").is_none(), "{name}: it comes from the registry that npm is set to");
            }
        }
    }

    #[test]
    fn types_are_for_typescript_alone() {
        let template = "JS|a\nTS|b\nf(x<<: string>>, y<<: T>>)";
        assert_eq!(spoken(template, Language::JavaScript), "a\nf(x, y)\n");
        assert_eq!(spoken(template, Language::TypeScript), "b\nf(x: string, y: T)\n");
    }
}
