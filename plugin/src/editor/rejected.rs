//! Why something that was typed was not taken, for as long as it takes to read it.

use egui::{Context, Id};

/// Time that it is shown, s.
const SHOWN_S: f64 = 6.0;

fn id() -> Id {
    Id::unique("rejected")
}

/// Says why, in place of what was said before.
pub fn say(context: &Context, why: String) {
    let now_s = context.input(|input| input.time);
    context.data_mut(|data| data.insert_temp(id(), (now_s, why)));
}

/// What there is to say.
pub fn said(context: &Context) -> Option<String> {
    let now_s = context.input(|input| input.time);
    let (since_s, why): (f64, String) = context.data(|data| data.get_temp(id()))?;
    (now_s - since_s < SHOWN_S).then_some(why)
}
