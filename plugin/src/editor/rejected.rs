//! A message about a typed value that was not accepted. It is shown for a few seconds.

use egui::{Context, Id};

/// Time for which it is shown, s.
const SHOWN_S: f64 = 6.0;

fn id() -> Id {
    Id::unique("rejected")
}

/// Shows `why`, in place of an earlier message.
pub fn show(context: &Context, why: String) {
    let now_s = context.input(|input| input.time);
    context.data_mut(|data| data.insert_temp(id(), (now_s, why)));
}

/// The message to show now.
pub fn message(context: &Context) -> Option<String> {
    let now_s = context.input(|input| input.time);
    let (since_s, why): (f64, String) = context.data(|data| data.get_temp(id()))?;
    (now_s - since_s < SHOWN_S).then_some(why)
}
