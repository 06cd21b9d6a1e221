use std::sync::OnceLock;
pub fn install() {
    std::panic::set_hook(Box::new(|i| {
        let text = i.to_string();
        for c in text.as_bytes().chunks(64) {
            let mut w = [0u64; 8];
            for (i, b) in c.iter().enumerate() { w[i / 8] |= u64::from(*b) << (i % 8 * 8); }
            crate::bindings::ruledesk::rules::last_words::say(w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]);
        }
    }));
}
pub struct Slot<T>(pub OnceLock<T>);
