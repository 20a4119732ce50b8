//! Sound through a JACK server. Input and output have one clock, so there is no buffer between them.

use super::explain;
use super::io::{AudioSession, Fault, FaultKind, StreamStatus, Streams, difference};
use super::player::PlayerSlot;
use embouchure_plugin::audio::{AudioSettings, Backend, DeviceChoice, DeviceName, Devices};
use jack::{
    AsyncClient, AudioIn, AudioOut, Client, ClientOptions, ClientStatus, Control, Frames, LatencyType,
    NotificationHandler, Port, PortFlags, ProcessHandler, ProcessScope,
};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Longer blocks are played in pieces.
const LONGEST: usize = 8192;

/// The process callback.
struct Callback {
    slot: PlayerSlot,
    status: Arc<StreamStatus>,
    inputs: [Port<AudioIn>; 2],
    outputs: [Port<AudioOut>; 2],
}

impl ProcessHandler for Callback {
    fn process(&mut self, _client: &Client, scope: &ProcessScope) -> Control {
        let [left_in, right_in] = self.inputs.each_ref().map(|port| port.as_slice(scope));
        let [left_out, right_out] = &mut self.outputs;
        let (left, right) = (left_out.as_mut_slice(scope), right_out.as_mut_slice(scope));
        left.copy_from_slice(left_in);
        right.copy_from_slice(right_in);
        self.status.played(left.len());
        for (left, right) in left.chunks_mut(LONGEST).zip(right.chunks_mut(LONGEST)) {
            self.slot.play(left, right);
        }
        Control::Continue
    }

    fn buffer_size(&mut self, _client: &Client, _size: Frames) -> Control {
        // The plugin measures longer blocks and requests a restart.
        Control::Continue
    }
}

/// The notification callbacks.
struct Notifications(Arc<StreamStatus>);

impl NotificationHandler for Notifications {
    unsafe fn shutdown(&mut self, _status: ClientStatus, reason: &str) {
        self.0.failed(format!("the JACK server ended: {reason}"), true);
    }

    fn sample_rate(&mut self, _client: &Client, _rate: Frames) -> Control {
        Control::Continue
    }

    fn xrun(&mut self, _client: &Client) -> Control {
        self.0.n_gaps.fetch_add(1, Relaxed);
        Control::Continue
    }
}

enum State {
    Ready(Client, Box<Callback>),
    Running(AsyncClient<Notifications, Callback>),
    Over,
}

struct JackStreams {
    state: State,
    status: Arc<StreamStatus>,
    settings: AudioSettings,
    /// Other clients' ports at the last call of `connect`.
    known: HashSet<String>,
}

/// Opens a client of the server.
pub fn open(settings: &AudioSettings) -> Result<AudioSession, Fault> {
    let client = client()?;
    let input = |name| client.register_port(name, AudioIn::default()).map_err(refused);
    let output = |name| client.register_port(name, AudioOut::default()).map_err(refused);
    let (slot, status) = (PlayerSlot::new(), Arc::new(StreamStatus::default()));
    let (inputs, outputs) = ([input("in_left")?, input("in_right")?], [output("out_left")?, output("out_right")?]);
    let (rate, block) = (client.sample_rate(), client.buffer_size());
    let notes =
        [difference("JACK", settings.rate, rate, "Hz"), difference("JACK", settings.block, block, "samples per block")];
    let callback = Box::new(Callback { slot: slot.clone(), status: status.clone(), inputs, outputs });
    Ok(AudioSession {
        backend: Backend::Jack,
        slot,
        rate,
        block,
        playing: format!("JACK, {rate} Hz, blocks of {block} samples"),
        notes: notes.into_iter().flatten().collect(),
        input_problem: None,
        n_channels: sources(&client, true).len() as u16,
        status: status.clone(),
        feed: None,
        streams: Box::new(JackStreams {
            state: State::Ready(client, callback),
            status,
            settings: settings.clone(),
            known: HashSet::new(),
        }),
    })
}

/// Other clients' ports: their outputs are the app's inputs, and the reverse.
pub fn devices() -> Result<Devices, Fault> {
    let client = client()?;
    let named = |ports: Vec<String>| ports.into_iter().map(|id| DeviceName { name: id.clone(), id }).collect();
    let (inputs, outputs) = (named(sources(&client, false)), named(sinks(&client, false)));
    Ok(Devices { backend: Backend::Jack, inputs, outputs })
}

fn client() -> Result<Client, Fault> {
    let opened = Client::new("Embouchure", ClientOptions::NO_START_SERVER);
    opened.map(|(client, _)| client).map_err(|_| explain::no_backend(Backend::Jack))
}

fn refused(error: jack::Error) -> Fault {
    Fault::new(FaultKind::Refused, format!("JACK refuses ({error}). Choose another audio system."))
}

fn sources(client: &Client, is_physical: bool) -> Vec<String> {
    ports(client, PortFlags::IS_OUTPUT, is_physical)
}

fn sinks(client: &Client, is_physical: bool) -> Vec<String> {
    ports(client, PortFlags::IS_INPUT, is_physical)
}

fn ports(client: &Client, direction: PortFlags, is_physical: bool) -> Vec<String> {
    let flags = if is_physical { direction | PortFlags::IS_PHYSICAL } else { direction };
    let mut ports = client.ports(None, Some("32 bit float mono audio"), flags);
    let own = format!("{}:", client.name());
    ports.retain(|port| !port.starts_with(&own));
    ports
}

impl JackStreams {
    /// Connects the wanted ports that appeared since the last call; returns a message if a wanted input is missing. A
    /// connection that the player removes in another program stays removed until its port disappears and appears again.
    fn connect(&mut self) -> Option<String> {
        let State::Running(client) = &self.state else { return None };
        let client = client.as_client();
        let own = |port: &str| format!("{}:{port}", client.name());
        let (there, sinks) = (sources(client, false), sinks(client, false));
        let has_come = |port: &String| !self.known.contains(port) && (there.contains(port) || sinks.contains(port));
        for (from, to) in [own("out_left"), own("out_right")].iter().zip(self.wanted_sinks(client)) {
            if has_come(&to) {
                let _ = client.connect_ports_by_name(from, &to);
            }
        }
        let wanted = self.wanted_sources(client);
        for (from, to) in wanted.iter().zip([own("in_left"), own("in_right")]) {
            if has_come(from) {
                let _ = client.connect_ports_by_name(from, &to);
            }
        }
        self.known = there.iter().chain(&sinks).cloned().collect();
        let missing = wanted.iter().find(|port| !there.contains(port)).cloned();
        let is_wanted = self.settings.input != DeviceChoice::Nothing;
        match missing {
            Some(port) => Some(explain::no_such(explain::Direction::Input, &port, &there).message),
            None if wanted.is_empty() && is_wanted => {
                Some(explain::no_default(explain::Direction::Input, Backend::Jack).message)
            }
            None => None,
        }
    }

    /// Stores the capture and playback latencies that the server reports.
    fn note_latency(&self) {
        let State::Running(client) = &self.state else { return };
        let client = client.as_client();
        let longest_us = |ports: [&str; 2], mode| {
            let latency = |port: &str| {
                let port = client.port_by_name(&format!("{}:{port}", client.name()))?;
                Some(port.get_latency_range(mode).1)
            };
            let frames = ports.into_iter().filter_map(latency).max().unwrap_or(0);
            (1e6 * f64::from(frames) / f64::from(client.sample_rate())) as u32
        };
        self.status.input_us.store(longest_us(["in_left", "in_right"], LatencyType::Capture), Relaxed);
        self.status.output_us.store(longest_us(["out_left", "out_right"], LatencyType::Playback), Relaxed);
    }

    /// Ports for left and right; one port may be both.
    fn wanted_sources(&self, client: &Client) -> Vec<String> {
        match &self.settings.input {
            DeviceChoice::Nothing => Vec::new(),
            DeviceChoice::Named(names) => twice(names),
            DeviceChoice::System => {
                let physical = sources(client, true);
                let at = usize::from(self.settings.channel.max(1)) - 1;
                physical.get(at).map_or_else(Vec::new, |port| vec![port.clone(), port.clone()])
            }
        }
    }

    fn wanted_sinks(&self, client: &Client) -> Vec<String> {
        match &self.settings.output {
            DeviceChoice::Nothing => Vec::new(),
            DeviceChoice::Named(names) => twice(names),
            DeviceChoice::System => sinks(client, true).into_iter().take(2).collect(),
        }
    }
}

/// Splits "left,right"; a single name stands for both.
fn twice(names: &str) -> Vec<String> {
    let (left, right) = names.split_once(',').unwrap_or((names, names));
    vec![left.trim().to_owned(), right.trim().to_owned()]
}

impl Streams for JackStreams {
    fn start(&mut self) -> Result<(), Fault> {
        let State::Ready(client, callback) = std::mem::replace(&mut self.state, State::Over) else { return Ok(()) };
        let running = client.activate_async(Notifications(self.status.clone()), *callback);
        self.state = State::Running(running.map_err(refused)?);
        Ok(())
    }

    fn maintain(&mut self, _input_problem: Option<String>) -> Option<String> {
        self.note_latency();
        self.connect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_port_stands_for_both_channels() {
        assert_eq!(twice("a:1"), ["a:1", "a:1"]);
        assert_eq!(twice("a:1, b:2"), ["a:1", "b:2"]);
    }
}
