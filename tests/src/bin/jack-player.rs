//! A JACK client for the tests of the app. Plays a tune over and over. Writes the name of its port when it plays, and
//! exits when its standard input ends. Given a file name, it records its port "in" there, mono, as raw floats. Commands
//! on standard input: "cut FROM TO" disconnects two ports; "ask FROM TO" answers whether they are connected.

#[cfg(target_os = "linux")]
fn main() {
    use embouchure_tests::tune;
    use jack::{AudioIn, AudioOut, Client, ClientOptions, Control, ProcessScope, contrib::ClosureProcessHandler};
    use std::io::Write;
    use std::time::Duration;

    let open = || Client::new("player", ClientOptions::NO_START_SERVER).ok();
    // The server may have only just been started.
    let found = (0..100).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        open()
    });
    let Some((client, _)) = found else { std::process::exit(1) };
    let tune = tune(client.sample_rate() as f32);
    let mut port = client.register_port("out", AudioOut::default()).expect("a new client has room for a port");
    let heard = client.register_port("in", AudioIn::default()).expect("a new client has room for a port");
    let name = port.name().expect("a port has a name");
    let (sender, receiver) = std::sync::mpsc::channel::<Vec<u8>>();
    let mut at = 0;
    let play = move |_: &Client, scope: &ProcessScope| {
        for sample in port.as_mut_slice(scope) {
            *sample = tune[at];
            at = (at + 1) % tune.len();
        }
        // Both channels arrive at one port, which adds them. Unlike the app, this client may allocate and may be late.
        let mean = heard.as_slice(scope).iter().map(|sum| 0.5 * sum);
        let _ = sender.send(mean.flat_map(f32::to_le_bytes).collect());
        Control::Continue
    };
    let file = std::env::args_os().nth(1).map(|path| std::fs::File::create(path).expect("the file can be made"));
    std::thread::spawn(move || {
        for block in receiver {
            if let Some(mut file) = file.as_ref() {
                file.write_all(&block).expect("the disk has room");
            }
        }
    });
    let client = client.activate_async((), ClosureProcessHandler::new(play)).expect("the server takes clients");
    println!("{name}");
    for line in std::io::stdin().lines() {
        let line = line.expect("input can be read");
        let client = client.as_client();
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["cut", from, to] => println!("{}", client.disconnect_ports_by_name(from, to).is_ok()),
            ["ask", from, to] => {
                let port = client.port_by_name(from);
                println!("{}", port.is_some_and(|port| port.is_connected_to(to).unwrap_or(false)));
            }
            _ => panic!("{line}"),
        }
    }
    client.deactivate().expect("the server lets clients go");
}

#[cfg(not(target_os = "linux"))]
fn main() {}
