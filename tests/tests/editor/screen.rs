//! The app on a virtual screen. Positions are given in design units and scale with the window.

use crate::home::Home;
use crate::picture::{Area, Picture};
use embouchure_host::VirtualScreen;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Size of the layout, design units.
const DESIGN: (u32, u32) = (900, 600);
/// A position between two panels, where nothing reacts to the mouse.
pub const NOWHERE: (f32, f32) = (623.0, 440.0);
/// Time limit of every wait.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The tests run one after the other: several apps that draw without a graphics card at once would be too slow.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The screen and the running app. Dropping this value ends both.
pub struct Screen {
    processes: Vec<Child>,
    server: VirtualScreen,
    window: String,
    size: (u32, u32),
    artefacts: PathBuf,
    pub home: Home,
    _turn: MutexGuard<'static, ()>,
}

impl Drop for Screen {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn app() -> PathBuf {
    embouchure_tests::bundled_clap().with_file_name("Embouchure")
}

impl Screen {
    /// Starts the app without sound.
    pub fn open() -> Self {
        Self::open_with(&["-b", "dummy", "-r", "48000", "-p", "256"], &[])
    }

    /// Starts the app with these arguments and environment variables.
    pub fn open_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let artefacts = app().parent().and_then(|p| p.parent()).expect("target folder").join("test-artefacts");
        std::fs::create_dir_all(&artefacts).unwrap();
        let server = VirtualScreen::start().expect("Xvfb is installed by `cargo xtask test`");
        let mut screen = Self {
            processes: Vec::new(),
            server,
            window: String::new(),
            size: DESIGN,
            artefacts,
            home: Home::new(),
            _turn: turn,
        };
        screen.start_app(arguments, environment);
        screen
    }

    /// Starts the app again in the same home folder, after [`end_app`](Self::end_app).
    pub fn start_app(&mut self, arguments: &[&str], environment: &[(&str, &str)]) {
        let mut command = self.command(app().to_str().expect("path"));
        self.home.set_environment(&mut command);
        let said = std::fs::File::create(self.home.terminal_file()).expect("a file for what it says");
        let app = command.args(arguments).envs(environment.iter().copied()).stderr(said).spawn();
        self.processes.push(app.expect("the app starts"));
        self.window = self.wait_for_window();
        self.point_at(NOWHERE);
    }

    /// The app's terminal output so far.
    pub fn terminal_output(&self) -> String {
        std::fs::read_to_string(self.home.terminal_file()).expect("the app has a terminal")
    }

    /// Asks the app to exit, as a desktop does at the end of its session, and waits for it.
    pub fn end_app(&mut self) {
        let mut app = self.processes.pop().expect("the app runs");
        // SAFETY: the process is our child and was not waited for.
        unsafe { libc::kill(app.id() as i32, libc::SIGTERM) };
        let status = app.wait().expect("our child");
        assert!(status.success(), "{status}");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", self.server.display()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let output = self.command(program).args(arguments).stdout(Stdio::piped()).output();
        output.unwrap_or_else(|e| panic!("{program}, which `cargo xtask test` installs: {e}")).stdout
    }

    fn wait_for_window(&self) -> String {
        let start = Instant::now();
        while start.elapsed() < 3 * TIMEOUT {
            let found = String::from_utf8(self.output("xdotool", &["search", "--name", "^Embouchure$"])).unwrap();
            if let Some(window) = found.lines().next() {
                return window.to_owned();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no window");
    }

    /// Pixels per design unit, and the layout's offset in the window.
    fn scale(&self) -> (f32, (f32, f32)) {
        let (width, height) = (self.size.0 as f32, self.size.1 as f32);
        let (design_width, design_height) = (DESIGN.0 as f32, DESIGN.1 as f32);
        let scale = (width / design_width).min(height / design_height);
        (scale, ((width - design_width * scale) / 2.0, (height - design_height * scale) / 2.0))
    }

    /// Runs one xdotool command, and gives the app time to draw the result.
    pub fn input(&self, arguments: &[&str]) {
        assert!(self.command("xdotool").args(arguments).status().unwrap().success(), "{arguments:?}");
        std::thread::sleep(Duration::from_millis(200));
    }

    pub fn point_at(&self, (x, y): (f32, f32)) {
        let (scale, (left, top)) = self.scale();
        let [x, y] = [x * scale + left, y * scale + top].map(|v| (v.round() as i32).to_string());
        self.input(&["mousemove", "--window", &self.window, &x, &y]);
    }

    /// Clicks, then moves the mouse away.
    pub fn click(&self, at: (f32, f32)) {
        self.point_at(at);
        self.input(&["click", "1"]);
        self.point_at(NOWHERE);
    }

    pub fn type_text(&self, text: &str) {
        self.input(&["type", "--delay", "40", "--", text]);
    }

    pub fn press(&self, key: &str) {
        self.input(&["key", key]);
    }

    /// Width and height of the window, pixels.
    pub fn window_size(&self) -> (u32, u32) {
        let text = String::from_utf8(self.output("xdotool", &["getwindowgeometry", "--shell", &self.window])).unwrap();
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.parse().ok());
        (value("WIDTH=").expect("a width"), value("HEIGHT=").expect("a height"))
    }

    /// Resizes the window, as a player does by its edge.
    pub fn resize(&mut self, width: u32, height: u32) {
        self.size = (width, height);
        self.input(&["windowsize", "--sync", &self.window, &width.to_string(), &height.to_string()]);
        self.point_at(NOWHERE);
    }

    /// The present picture of an area.
    pub fn look(&self, area: Area) -> Picture {
        self.look_through(area, &[])
    }

    /// The picture of an area at its design size, shrunk by `divisor`, so that windows of different sizes can be
    /// compared.
    pub fn look_at_design_size(&self, area: Area, divisor: f32) -> Picture {
        let size = format!("{}x{}!", (area.width / divisor).round(), (area.height / divisor).round());
        self.look_through(area, &["-filter", "box", "-resize", &size])
    }

    fn look_through(&self, area: Area, steps: &[&str]) -> Picture {
        let (scale, offset) = self.scale();
        let crop = area.geometry(scale, offset);
        let arguments = [&["-window", &self.window, "-crop", &crop, "+repage"], steps, &["-depth", "8", "rgb:-"]];
        let picture = Picture(self.output("import", &arguments.concat()));
        assert!(!picture.0.is_empty(), "the window can be looked at");
        picture
    }

    /// Takes pictures until two in a row agree, and returns the last.
    pub fn settled(&self, area: Area) -> Picture {
        let mut last = self.look(area);
        self.wait_until(&format!("{area:?} stands still and is not empty"), || {
            let now = self.look(area);
            let is_settled = now == last && !now.is_uniform();
            last = now;
            is_settled
        });
        last
    }

    /// # Panics
    /// If the condition is not met in time. The message names `what`.
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_so() {
            if start.elapsed() > TIMEOUT {
                self.keep("editor-failed");
                let picture = self.artefacts.join("editor-failed.png");
                panic!("in vain: {what}; see {}; the app said:\n{}", picture.display(), self.terminal_output());
            }
            std::thread::sleep(Duration::from_millis(150));
        }
    }

    /// Saves a picture of the whole window as an artefact.
    pub fn keep(&self, name: &str) {
        self.keep_area(Area::ALL, name);
    }

    fn keep_area(&self, area: Area, name: &str) -> String {
        let (scale, offset) = self.scale();
        let file = self.artefacts.join(format!("{name}.png")).to_str().expect("path").to_owned();
        let crop = area.geometry(scale, offset);
        self.output("import", &["-window", &self.window, "-crop", &crop, "+repage", &file]);
        assert!(std::fs::exists(&file).unwrap(), "{file}");
        file
    }

    /// Saves `n` pictures of an area, taken `pause` apart, one below the other.
    pub fn keep_strip(&self, name: &str, area: Area, n: u32, pause: Duration) -> Vec<Picture> {
        let start = Instant::now();
        let keep = |i: u32| {
            std::thread::sleep((pause * i).saturating_sub(start.elapsed()));
            self.keep_area(area, &format!("{name}-{i}"))
        };
        let files: Vec<String> = (0..n).map(keep).collect();
        let read = |file: &String| Picture(self.output("convert", &[file, "-depth", "8", "rgb:-"]));
        let pictures = files.iter().map(read).collect();
        let strip = self.artefacts.join(format!("{name}.png"));
        let status = self.command("convert").args(&files).arg("-append").arg(strip).status();
        assert!(status.unwrap().success());
        files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
        pictures
    }
}
