//! Questions about pictures: VQA 2's two files, a list of `[question, answer, image]` (easy-VQA), or a list of objects with `image`,
//! `question` and `answer` (ALBEF's lists).
//!
//! A row is a question; if the column `answer` is read, every answer that was given to it is a row, weighted by its share. `scores`
//! is over the commonest answers of the split `train`, so every split has the same; without such a split, over those of its own.

use super::super::dataset::Dataset;
use super::super::library::Ask;
use super::super::report::Problem;
use super::super::{Cell, Error};
use super::answers::{commonest, plain, shares, worth};
use super::lines;
use super::pictures::Pictures;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const EXPECTED: &str =
    "questions: VQA 2's `questions` and `annotations`, or a list of questions with answers";

/// A question with all answers that were given.
struct Question {
    /// Names that the picture's file may have.
    pictures: Vec<String>,
    text: String,
    answers: Vec<String>,
}

/// What a file of questions may be.
#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Challenge {
        questions: Vec<Asked>,
        #[serde(default)]
        images: Vec<Listed>,
    },
    Triples(Vec<(String, String, serde_json::Value)>),
    Objects(Vec<Object>),
}

#[derive(Deserialize)]
struct Asked {
    question_id: i64,
    image_id: i64,
    question: String,
}

#[derive(Deserialize)]
struct Object {
    image: String,
    question: String,
    #[serde(default)]
    answer: Answers,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answers {
    One(String),
    Many(Vec<String>),
}

impl Default for Answers {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[derive(Deserialize)]
struct Annotations {
    #[serde(default)]
    images: Vec<Listed>,
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Listed {
    id: i64,
    file_name: String,
}

#[derive(Deserialize)]
struct Annotation {
    question_id: i64,
    #[serde(default)]
    answers: Vec<Given>,
    multiple_choice_answer: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    answer: String,
}

pub(super) fn open(ask: &Ask<'_>, n: Option<usize>, dataset: &mut Dataset) -> Result<(), Error> {
    let found = super::annotations(ask, |folder| candidates(folder, ask.split))?;
    let questions = read(&found.file, ask.split)?;
    let list = n.map(|n| list(ask, &questions, n)).transpose()?;
    let mut pictures = Pictures::new(ask, &found.folder);
    let apart = ask.wanted.contains(&"answer");
    for question in questions.iter() {
        let named = question.pictures.iter().find_map(|name| pictures.find(name, dataset));
        let Some(picture) = named else {
            dataset
                .report_mut()
                .note(Problem::MissingFile, question.pictures.first().cloned().unwrap_or_default());
            continue;
        };
        let scores = list.as_ref().map(|list| scores(list, &question.answers));
        for (answer, weight) in rows(question, apart) {
            let text = Cell::Text(question.text.clone());
            let mut row = vec![("image", Cell::Picture(picture)), ("text", text.clone()), ("question", text)];
            row.extend([("answer", Cell::Text(answer)), ("weight", Cell::Numbers(vec![weight]))]);
            row.extend(scores.clone().map(|scores| ("scores", Cell::Numbers(scores))));
            dataset.add_row(row);
        }
    }
    if let Some(list) = list {
        dataset.name_classes(list);
    }
    Ok(())
}

/// Answers with weights: all that were given, or the commonest.
fn rows(question: &Question, apart: bool) -> Vec<(String, f32)> {
    let shares = shares(&question.answers);
    let all = question.answers.len().max(1) as f32;
    if apart && !shares.is_empty() {
        return shares.into_iter().map(|(answer, count)| (answer.to_string(), count as f32 / all)).collect();
    }
    let first = commonest(question.answers.iter().map(String::as_str), 1).pop();
    vec![(first.unwrap_or_default(), 1.0)]
}

fn scores(list: &[String], answers: &[String]) -> Vec<f32> {
    let count = |answer: &String| answers.iter().filter(|given| *given == answer).count();
    list.iter().map(|answer| worth(count(answer), answers.len())).map(|worth| worth.min(1.0)).collect()
}

/// The answers that are classes.
fn list(ask: &Ask<'_>, own: &[Question], n: usize) -> Result<Vec<String>, Error> {
    let train = if ask.split == "train" { None } else { train(ask)? };
    let questions = train.as_deref().unwrap_or(own);
    let mut list = commonest(questions.iter().flat_map(|q| &q.answers).map(String::as_str), n);
    // A data set with fewer answers leaves the last classes without a meaning.
    list.resize(n, String::new());
    Ok(list)
}

/// The questions of the split `train`, if there is one.
fn train(ask: &Ask<'_>) -> Result<Option<Vec<Question>>, Error> {
    let train = Ask { split: "train", ..*ask };
    let found = super::annotations(&train, |folder| candidates(folder, "train")).ok();
    found.map(|found| read(&found.file, "train")).transpose()
}

fn read(file: &Path, split: &str) -> Result<Vec<Question>, Error> {
    let json = |source| Error::Json { path: file.into(), expected: EXPECTED, source };
    let questions = match serde_json::from_str(&lines::text(file)?).map_err(json)? {
        File::Challenge { questions, images } => return challenge(file, questions, images, split),
        File::Triples(triples) => triples.into_iter().map(triple).collect(),
        File::Objects(objects) => objects.into_iter().map(object).collect(),
    };
    Ok(questions)
}

fn triple((text, answer, image): (String, String, serde_json::Value)) -> Question {
    let name = image.as_str().map_or_else(|| image.to_string(), str::to_string);
    let pictures = ["png", "jpg"].map(|end| format!("{name}.{end}")).to_vec();
    Question { pictures, text, answers: vec![plain(&answer)] }
}

fn object(object: Object) -> Question {
    let answers = match object.answer {
        Answers::One(answer) => vec![answer],
        Answers::Many(answers) => answers,
    };
    let answers = answers.iter().map(|answer| plain(answer)).collect();
    Question { pictures: vec![object.image], text: object.question, answers }
}

/// VQA 2 keeps answers in a file of their own; a test split has none.
fn challenge(
    file: &Path,
    questions: Vec<Asked>,
    images: Vec<Listed>,
    split: &str,
) -> Result<Vec<Question>, Error> {
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let other = file.with_file_name(name.replace("OpenEnded_", "").replace("questions", "annotations"));
    let annotations = if other.is_file() {
        let json = |source| Error::Json { path: other.clone(), expected: EXPECTED, source };
        serde_json::from_str(&lines::text(&other)?).map_err(json)?
    } else {
        Annotations { images: Vec::new(), annotations: Vec::new() }
    };
    let listed = images.into_iter().chain(annotations.images);
    let files: HashMap<i64, String> = listed.map(|image| (image.id, image.file_name)).collect();
    let mut answers: HashMap<i64, Vec<String>> =
        annotations.annotations.into_iter().map(|a| (a.question_id, given(a))).collect();
    let question = |asked: Asked| Question {
        pictures: match files.get(&asked.image_id) {
            Some(name) => vec![name.clone()],
            None => coco_names(split, asked.image_id),
        },
        text: asked.question,
        answers: answers.remove(&asked.question_id).unwrap_or_default(),
    };
    Ok(questions.into_iter().map(question).collect())
}

fn given(annotation: Annotation) -> Vec<String> {
    let all: Vec<String> = annotation.answers.iter().map(|given| plain(&given.answer)).collect();
    match (all.is_empty(), annotation.multiple_choice_answer) {
        (true, Some(answer)) => vec![plain(&answer)],
        _ => all,
    }
}

fn coco_names(split: &str, id: i64) -> Vec<String> {
    let years = ["2014", "2015"].map(|year| format!("COCO_{split}{year}_{id:012}.jpg"));
    years.into_iter().chain([format!("{id:012}.jpg"), format!("{id}.jpg")]).collect()
}

fn candidates(folder: &Path, split: &str) -> Vec<PathBuf> {
    let places = [folder.join("annotations"), folder.to_path_buf()];
    let names = [
        format!("questions_{split}.json"),
        format!("v2_OpenEnded_mscoco_{split}2014_questions.json"),
        format!("v2_OpenEnded_mscoco_{split}2015_questions.json"),
        format!("{split}.json"),
        "vg_qa.json".to_string(),
    ];
    let mut files: Vec<PathBuf> =
        places.iter().flat_map(|place| names.iter().map(|name| place.join(name))).collect();
    files.insert(0, folder.join(split).join("questions.json"));
    files
}
