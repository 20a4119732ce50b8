//! The row that describes a parameter, and the macro that makes the framework's structs from the rows.

use super::{EmbouchureParams, ParamRef};
use embouchure_inference::settings::Settings;

/// One parameter.
pub struct Row {
    /// Its name in saved states and presets. Never changes.
    pub id: &'static str,
    /// Heading under which hosts list it.
    pub group: &'static str,
    /// One or two sentences that are shown when the pointer is over its control.
    pub hint: &'static str,
    /// Page of a hardware controller, and place on the page, 0 to 7.
    pub remote: Option<(Page, usize)>,
    /// The parameter itself.
    pub param: fn(&EmbouchureParams) -> ParamRef<'_>,
    /// Writes its value to the engine's settings.
    pub fill: fn(&EmbouchureParams, &mut Settings),
}

/// Parameters that a hardware controller shows together, on eight knobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Page {
    /// The most used parameters; shown first.
    Main,
    /// The other parameters of sound and source.
    Sound,
    /// Parameters of the pitch, and Match Level.
    Pitch,
}

impl Page {
    /// All pages, in the order of the controller.
    pub const ALL: [Self; 3] = [Self::Main, Self::Sound, Self::Pitch];

    /// Name shown on the controller.
    pub fn name(self) -> &'static str {
        match self {
            Self::Main => "Main",
            Self::Sound => "Sound",
            Self::Pitch => "Pitch",
        }
    }
}

/// Makes from groups of rows
/// - a struct for each group, whose fields are the framework's parameters,
/// - [`EmbouchureParams`], with a field for each group,
/// - `ROWS`, the rows as values.
///
/// `param` makes the parameter: name, range, unit, text and default. It may use the argument that `from` names. `set`
/// writes a value to the [`Settings`].
macro_rules! parameters {
    (
        from $source:ident: $Source:ty;
        $(
            $group:tt $field:ident: $Group:ident {
                $(
                    $name:ident: $Param:ident {
                        id: $id:tt,
                        param: $param:expr,
                        remote: $remote:expr,
                        hint: $hint:tt,
                        set: $set:expr,
                    }
                )*
            }
        )*
    ) => {
        $(
            #[doc = concat!("What hosts list as \"", $group, "\".")]
            #[derive(Params)]
            pub struct $Group {
                $(
                    #[doc = $hint]
                    #[id = $id]
                    pub $name: $Param,
                )*
            }
        )*

        /// All parameters, and the session.
        #[derive(Params)]
        pub struct EmbouchureParams {
            /// The session: instruments, window and other state of a project.
            #[persist = "session"]
            pub session: Arc<SessionField>,
            $(
                #[doc = concat!("What hosts list as \"", $group, "\".")]
                #[nested(group = $group)]
                pub $field: $Group,
            )*
        }

        impl EmbouchureParams {
            /// All parameters at their defaults. The library gives the instruments' names, which hosts show.
            pub fn new($source: $Source) -> Self {
                Self { session: Arc::default(), $( $field: $Group { $( $name: $param, )* }, )* }
            }
        }

        /// All parameters, in the order in which hosts list them.
        pub const ROWS: &[Row] = &[$($(
            Row {
                id: $id,
                group: $group,
                hint: $hint,
                remote: $remote,
                param: |params| ParamRef::from(&params.$field.$name),
                fill: |params, settings| {
                    let set: fn(&mut Settings, <$Param as Param>::Plain) = $set;
                    set(settings, params.$field.$name.value());
                },
            },
        )*)*];
    };
}

pub(super) use parameters;

/// The row of a parameter. In a constant, an unknown id is a compile error.
pub const fn row(id: &str) -> &'static Row {
    let mut i = 0;
    while i < super::ROWS.len() {
        if is_same(super::ROWS[i].id.as_bytes(), id.as_bytes()) {
            return &super::ROWS[i];
        }
        i += 1;
    }
    panic!("there is no parameter of this id");
}

/// Equality of strings in a constant, where `==` is not available.
const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}
