//! Files that mean harm, or are just broken: always an answer, within bounded time and memory, never a panic.

use chiasm::random::Stream;
use chiasm::{Failure, Options, compile};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(2);

/// A model around a line of text.
fn model(line: &str) -> String {
    format!(
        "set width = 8\n\
         input image : image[B, 3, 8, 8]\n\
         small = image -> rearrange(\"b c h w -> b (c h w)\")\n\
         w = Param([192, width], zeros)\n\
         {line}\n\
         loss l = mean(small @ w)\n\
         stage s {{ data = pairs(\"scenes\")  minimise = l }}\n"
    )
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("chiasm-hostile-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder");
    path
}

/// Checks a file and says how that ended; too long is a failure.
fn answer(path: &Path) -> Result<(), Vec<String>> {
    let began = Instant::now();
    let result = compile(path, &Options::default());
    let took = began.elapsed();
    assert!(took < LONGEST, "{} took {took:?}", path.display());
    match result {
        Ok(_) => Ok(()),
        Err(Failure::Unreadable { error, .. }) => Err(vec![error.to_string()]),
        Err(Failure::Wrong { sources, diagnostics }) => {
            let texts: Vec<String> = diagnostics.iter().map(|d| d.render(&sources)).collect();
            assert!(texts.iter().map(String::len).sum::<usize>() < 1 << 20, "messages without end");
            Err(texts)
        }
    }
}

fn of_text(name: &str, text: impl AsRef<[u8]>) -> Result<(), Vec<String>> {
    let path = folder(name).join("hostile.chi");
    std::fs::write(&path, text).expect("a file");
    let found = answer(&path);
    let _ = std::fs::remove_dir_all(path.parent().expect("a folder"));
    found
}

/// Refused with this code.
#[track_caller]
fn refused(name: &str, text: impl AsRef<[u8]>, code: &str) {
    let texts = of_text(name, text).expect_err("a refusal");
    assert!(texts.iter().any(|text| text.contains(code)), "{name}: {}", texts.join("\n"));
}

#[test]
fn endless_definitions_end() {
    let chain = |n: usize| {
        let links = (0..n).map(|i| format!("a{i} = a{} + 1\n", i + 1)).collect::<String>();
        model(&format!("{links}a{n} = 1\nx = mean(small) * a0"))
            .replace("mean(small @ w)", "x + mean(small @ w)")
    };
    assert_eq!(of_text("chain", chain(300)), Ok(()));
    assert_eq!(of_text("long-chain", chain(1900)), Ok(()));
    // Several stages are lowered side by side; each thread must hold the whole depth.
    let again = |n: usize| format!("stage more{n} {{ data = pairs(\"scenes\")  minimise = l }}\n");
    let stages: String = (0..4).map(again).collect();
    assert_eq!(of_text("long-chain-of-stages", chain(1900) + &stages), Ok(()));
    refused("many", chain(5000), "E0214");
    refused(
        "circle",
        model("a = b\nb = c\nc = a\nd = a").replace("mean(small @ w)", "mean(small @ w) + d"),
        "E0208",
    );
    refused("owners", model("a = b with { w = w }\nb = a\nd = a").replace("small @ w", "d(small)"), "E0");
}

#[test]
fn endless_calls_end() {
    let use_of = |line: &str| model(line).replace("mean(small @ w)", "mean(f(small @ w))");
    refused("recursion", use_of("fn f(x) = f(x + 1)"), "E0214");
    refused("mutual", use_of("fn f(x) = g(x)\nfn g(x) = f(x)"), "E0214");
    let doubling =
        (0..40).map(|i| format!("fn f{i}(x) = f{0}(x) + f{0}(x + 1)\n", i + 1)).collect::<String>();
    refused("doubling", use_of(&format!("{doubling}fn f40(x) = x\nfn f(x) = f0(x)")), "E0214");
    refused("module", use_of("module M() { inner = M()\n fn (x) = inner(x) }\nf = M()"), "E0214");
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("(", ")"), ("[", "]"), ("-", ""), ("not ", ""), ("if 1 then 2 else ", "")] {
        let text = format!("x = {}1{}", open.repeat(50_000), close.repeat(50_000));
        assert!(of_text("deep", text).is_err());
    }
    assert!(of_text("calls", format!("x = {}1{}", "f(".repeat(60_000), ")".repeat(60_000))).is_err());
    assert!(of_text("pipes", format!("x = a{}", " -> f".repeat(40_000))).is_err());
}

#[test]
fn huge_lists_and_sizes_are_refused() {
    let use_of = |line: &str| model(line).replace("small @ w", "x(small)");
    refused("repeat", use_of("x = [Scale(1) for i < 1000000]"), "E0314");
    let nested = "x = [[[[Scale(1) for i < 9999] for j < 9999] for k < 9999] for l < 9999]";
    refused("nested", use_of(nested), "E0314");
    let with = |line: &str| model(line).replace("mean(small @ w)", "mean(small @ w) + mean(x)");
    refused("param", with("x = Param([1e18], zeros)"), "E0316");
    refused("param-product", with("x = Param([1000000000, 1000000000], zeros)"), "E0316");
    refused("whole", with("x = Param([9_000_000_000_000_000_000], zeros)"), "E0316");
    refused("product", with("x = fill([3_000_000_000 * 3_000_000_000 * 3_000_000_000], 1.0)"), "E0316");
    refused("fill", with("x = fill([4_000_000_000, 4_000_000_000], 1.0)"), "E0316");
    refused("power", with("x = fill([2 ^ 2000], 1.0)"), "E0316");
    refused("negative", with("x = fill([1 - 2 ^ 62], 1.0)"), "E0316");
    refused("batch", with("x = fill([9000000000000 * B], 1.0)"), "E0316");
    refused("sides", with("x = resize(image, 1000000)"), "E0316");
    refused("window", with("x = offsets(image, window: 1000000)"), "E0314");
    refused("zero", with("x = fill([8 / 0], 1.0)"), "E0316");
    refused("remainder", with("x = fill([8 % 0], 1.0)"), "E0316");
}

#[test]
fn files_that_are_none_are_refused() {
    refused("self", "extend \"hostile.chi\"\n", "E0108");
    refused("device", "extend \"/dev/zero\"\n", "E0108");
    refused("folder", "use \"..\"\n", "E0108");
    assert!(of_text("large", vec![b'#'; 1 << 20]).is_err());
    let folder = folder("diamond");
    for i in 0..20 {
        let twice = format!("use \"{0}.chi\"\nuse \"{0}.chi\"\n", i + 1);
        std::fs::write(folder.join(format!("{i}.chi")), twice).expect("a file");
    }
    std::fs::write(folder.join("20.chi"), "fn f(x) = x\n").expect("a file");
    let texts = answer(&folder.join("0.chi")).expect_err("a refusal");
    assert!(texts.iter().any(|text| text.contains("E0108")), "{}", texts.join("\n"));
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn any_bytes_get_an_answer() {
    let stream = Stream::new(7, "hostile", "bytes");
    for case in 0..60 {
        let length = 1 + stream.below(4000, case, 0) as usize;
        let byte = |i: usize| stream.below(if case % 2 == 0 { 256 } else { 128 }, case, i as u32 + 1) as u8;
        let _ = of_text("bytes", (0..length).map(byte).collect::<Vec<u8>>());
    }
    assert!(of_text("symbols", "@ = ;\n".repeat(40_000)).is_err());
    assert!(of_text("line", "a".repeat(200_000)).is_err());
}

/// Shipped files with a piece cut out, doubled or exchanged.
#[test]
fn damaged_models_get_an_answer() {
    let text = std::fs::read_to_string("models/albef.chi").expect("a model");
    let stream = Stream::new(9, "hostile", "damage");
    for case in 0..40 {
        let place = |element| stream.below(text.len() as u32, case, element) as usize;
        let (from, to) = (place(0).min(place(1)), place(0).max(place(1)).min(place(0).min(place(1)) + 60));
        let damaged = match case % 3 {
            0 => format!("{}{}", &text[..from], &text[to..]),
            1 => format!("{}{}", &text[..to], &text[from..]),
            _ => format!("{}{}{}", &text[..from], "(]1e9..", &text[to..]),
        };
        let _ = of_text("damage", damaged);
    }
}
