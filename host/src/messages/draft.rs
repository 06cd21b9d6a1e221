//! A template that is not in force: tried next to the others, which stay as they are.

use super::{ENGLISH, File, Mistake, NotATemplate, Templates, check_name, mistake, shipped};

/// The text that comes with the program for a template in a language or, where it has none in that, in the one that stands in for it.
pub fn shipped_text(locale: &str, name: &str) -> Option<&'static str> {
    let of = |locale: &str| shipped().find(|file| file.locale == locale && file.name == name).map(|file| file.text);
    of(locale).or_else(|| of(ENGLISH))
}

impl Templates {
    /// The text of a template in a language or, where that has none, in the one that stands in for it.
    pub fn source(&self, locale: &str, name: &str) -> Option<String> {
        let own = self.environment.get_template(&format!("{}/{name}", self.locale(locale)));
        let found = own.or_else(|_| self.environment.get_template(&format!("{ENGLISH}/{name}")));
        found.ok().map(|template| template.source().to_owned())
    }

    /// These templates with a draft of one of them.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the draft, each with its line.
    pub fn with_draft(&self, draft: &File<'_>) -> Result<Templates, Vec<Mistake>> {
        let file = format!("{}/{}", draft.locale, draft.name);
        let whole = |why: NotATemplate| {
            let line = usize::from(why == NotATemplate::NoSubject);
            vec![Mistake { file: file.clone(), line, why }]
        };
        check_name(draft).map_err(whole)?;
        let mut templates = self.clone();
        let added = templates.environment.add_template_owned(file.clone(), draft.text.to_owned());
        added.map_err(|error| vec![mistake(&file, &error)])?;
        templates.locales.insert(draft.locale.to_owned());
        let mut mistakes = templates.tried_alone(&file);
        mistakes.dedup();
        if mistakes.is_empty() { Ok(templates) } else { Err(mistakes) }
    }
}
