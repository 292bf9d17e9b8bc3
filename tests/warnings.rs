//! Warnings: each at its place and never for a file that means what it says; every shipped file has none.

use chiasm::{Model, Options, compile};
use chiasm_dsl::diagnostic::Severity;
use std::path::{Path, PathBuf};

/// The shipped files of a folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.extension().is_some_and(|it| it == "chi")).collect()
}

/// A file beside a copy of the model that the examples of `ERRORS.md` extend.
fn model(name: &str, text: &str) -> Model {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("warnings-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::copy("dsl/tests/explain/base.chi", folder.join("base.chi")).expect("a copied base");
    let file = folder.join("mine.chi");
    std::fs::write(&file, format!("extend \"base.chi\"\n{text}\n")).expect("a written file");
    compile(&file, &Options::default()).unwrap_or_else(|failure| panic!("{name}: {failure}"))
}

/// `W0704 3:40 message`, in order of place.
fn warned(name: &str, text: &str) -> Vec<String> {
    let model = model(name, text);
    let line = |d: &chiasm_dsl::diagnostic::Diagnostic| {
        assert_eq!(d.severity, Severity::Warning);
        let place = model.sources.place(d.span.expect("a place"));
        format!("{} {}:{} {}", d.code.name(), place.line, place.column, d.message)
    };
    model.warnings.iter().map(line).collect()
}

#[test]
fn shipped_files_give_no_warning() {
    for folder in ["models", "models/tiny", "models/variants", "dsl/std", "dsl/tests/explain"] {
        for file in files(folder) {
            let model = compile(&file, &Options::default()).unwrap_or_else(|failure| panic!("{failure}"));
            let shown: Vec<String> = model.warnings.iter().map(|w| w.render(&model.sources)).collect();
            assert!(shown.is_empty(), "{}", shown.join("\n"));
        }
    }
}

#[test]
fn what_no_stage_trains_is_named_with_its_reason() {
    let head = "extra = Linear(joint)\nloss pull = mean(image_feat * normalize(extra(cls(image_tokens))))\n";
    let train = "stage pretrain with { minimise = itc + pull  train = [vision, to_image] }";
    let found = warned("train", &format!("{head}{train}"));
    assert!(found[0].starts_with("W0702 "), "{found:?}");
    assert!(found.iter().any(|w| w.contains("2:1 no stage trains `extra.w` and 1 more")), "{found:?}");
    let trained = "stage pretrain with { minimise = itc + far + itm + lm + pull }";
    assert_eq!(warned("trained", &format!("{head}{trained}")), [""; 0]);
    let later = "stage pretrain with { minimise = itc + far + itm + lm + pull  freeze = extra }\n\
                 stage later = pretrain with { start = pretrain  freeze = none }";
    assert_eq!(warned("later", &format!("{head}{later}")), [""; 0]);
}

#[test]
fn tasks_are_judged_with_what_their_stage_starts_from() {
    let task = "task pairs on towers {\n  data   = pairs(\"scenes/val\")\n  \
                answer = retrieval(image: image_feat, text: text_feat, rerank: match[:, 1], top: 8)\n}";
    let alone = format!("stage towers = pretrain with {{ minimise = itc }}\n{task}");
    let found = warned("alone", &alone);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("W0703 3:6 task `pairs` reads `fusion`, `itm_head`, which stage `towers`"),
        "{found:?}"
    );
    let brought = format!("stage towers = pretrain with {{ minimise = itc  start = pretrain }}\n{task}");
    assert_eq!(warned("brought", &brought), [""; 0]);
    let asked = format!(
        "stage small = pretrain with {{ minimise = itc  evaluate = pairs }}\n{}",
        task.replace("towers", "pretrain")
    );
    assert!(warned("asked", &asked)[0].starts_with("W0703 2:58 "), "{:?}", warned("asked", &asked));
}

#[test]
fn only_what_a_stage_says_itself_is_idle() {
    let own = "stage towers = pretrain with { minimise = itc  freeze = [vision, fusion] }";
    assert_eq!(warned("own", own), ["W0704 2:66 stage `towers` reads no parameter of `fusion`"]);
    let inherited =
        "stage whole = pretrain with { freeze = fusion }\nstage towers = whole with { minimise = itc }";
    assert_eq!(warned("inherited", inherited), [""; 0]);
    let state = "stage towers = pretrain with { minimise = itc  freeze = [old_texts, vision] }";
    assert_eq!(warned("state", state), [""; 0]);
    let rate = "stage pretrain with { freeze = vision\n  rate vision.blocks = 0.1\n  rate embed = 2 }";
    let said = "W0704 3:8 `vision.blocks` is frozen in stage `pretrain`: its rate changes nothing";
    assert_eq!(warned("rate", rate), [said]);
}

#[test]
fn only_warm_ups_that_can_be_compared_are() {
    let stage = |warmup: &str, length: &str| {
        format!(
            "stage pretrain with {{ optimiser = adamw(cosine(1e-3, to: 0, warmup: {warmup}))  length = {length} }}"
        )
    };
    let found = warned("long", &stage("epochs(3)", "epochs(2)"));
    assert_eq!(found, ["W0705 2:35 stage `pretrain` ends before its warm-up does"]);
    for (number, (warmup, length)) in
        [("steps(300)", "steps(300)"), ("epochs(1)", "steps(3)"), ("steps(3)", "epochs(1)")]
            .iter()
            .enumerate()
    {
        assert_eq!(warned(&format!("short-{number}"), &stage(warmup, length)), [""; 0]);
    }
}

#[test]
fn a_stage_without_steps_may_take_weights_over() {
    assert_eq!(warned("empty", "stage pretrain with { length = epochs(0) }").len(), 1);
    assert_eq!(
        warned("taken", "stage again = pretrain with { start = pretrain  length = steps(0) }"),
        [""; 0]
    );
}

#[test]
fn evaluate_none_takes_back_what_was_inherited() {
    let text = "stage pretrain with { evaluate = find }\nstage quiet = pretrain with { evaluate = none }";
    let model = model("none", text);
    let evaluated: Vec<usize> = model.stages.iter().map(|stage| stage.evaluate.len()).collect();
    assert_eq!(evaluated, [1, 0]);
}

#[test]
fn left_over_definitions_are_listed() {
    let model =
        model("left", "weights spare from \"x\" { vision = \"v\" }\nstage pretrain with { minimise = itc }");
    let unused = &model.unused;
    assert!(
        ["fusion", "itm_head", "match", "lm"].iter().all(|name| unused.definitions.iter().any(|d| d == name)),
        "{unused:?}"
    );
    assert!(!unused.definitions.iter().any(|d| d == "vision" || d == "temp"), "{unused:?}");
    assert_eq!((unused.weights.as_slice(), unused.inputs.len()), (&["spare".to_string()][..], 0));
}
