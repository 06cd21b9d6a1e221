//! Templates of new rules: a file as it would be with all stages, where lines mark what belongs to some of them only.
//!
//! ```text
//! {{#intake access}}       the lines to {{/}} stay where at least one of these stages is chosen
//! {{/}}
//! {{name}}                 printer-first
//! {{identifier}}           printer_first
//! {{stages}}               "intake", "access"
//! {{stage-words}}          intake, access
//! {{stage-words-spaced}}   intake access
//! {{first}}                the first of the stages
//! {{quiet-reason}}         what the first stage says where it has nothing to say
//! {{order}}                what a rule of the first stage usually has as its order
//! {{examples}}             how many examples the manifest has
//! ```

use super::Project;
use crate::rules::run::stage::Stage;

/// The text of a template for a project.
pub fn fill(template: &str, project: &Project) -> String {
    let mut out = String::with_capacity(template.len());
    let mut wanted = true;
    for line in template.lines() {
        let trimmed = line.trim();
        if let Some(stages) = trimmed.strip_prefix("{{#").and_then(|rest| rest.strip_suffix("}}")) {
            wanted = stages.split(' ').any(|name| project.stages.iter().any(|stage| stage.name() == name));
        } else if trimmed == "{{/}}" {
            wanted = true;
        } else if wanted {
            out += line;
            out.push('\n');
        }
    }
    let first = project.stages.first().copied().unwrap_or(Stage::Intake);
    let stages: Vec<String> = project.stages.iter().map(|stage| format!("\"{stage}\"")).collect();
    let stage_words: Vec<&str> = project.stages.iter().map(|stage| stage.name()).collect();
    out.replace("{{name}}", &project.name)
        .replace("{{identifier}}", &project.identifier())
        .replace("{{stages}}", &stages.join(", "))
        .replace("{{stage-words}}", &stage_words.join(", "))
        .replace("{{stage-words-spaced}}", &stage_words.join(" "))
        .replace("{{first}}", first.name())
        .replace("{{quiet-reason}}", quiet_reason(first))
        .replace("{{order}}", &usual_order(first).to_string())
        .replace("{{examples}}", &(2 * project.stages.len()).to_string())
}

/// Between the orders of the rules that come with the desk.
const fn usual_order(stage: Stage) -> u32 {
    match stage {
        Stage::Intake => 15,
        Stage::Categorization => 25,
        Stage::Priority => 35,
        Stage::Routing => 38,
        Stage::Access => 55,
        Stage::Closing => 75,
    }
}

/// Of a ticket that mentions none of the words, of a request for as long as possible, or of a reply without the words.
const fn quiet_reason(stage: Stage) -> &'static str {
    match stage {
        Stage::Intake => "nothing to change",
        Stage::Categorization | Stage::Priority | Stage::Routing => "none of its words",
        Stage::Access => "longer than 72 hours",
        Stage::Closing => "no word of theirs is among its own",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_other_stages_go() {
        let project = Project::new("a-b", &[Stage::Access, Stage::Intake]).unwrap();
        let template = "{{#intake}}\n1 {{name}}\n{{/}}\n  {{#priority routing}}\n2\n  {{/}}\n{{#priority access}}\n3 {{stages}}\n{{/}}\n4";
        assert_eq!(fill(template, &project), "1 a-b\n3 \"intake\", \"access\"\n4\n");
    }
}
