//! A study journal of three thousand words in two notes, half Arabic and half English, and a dozen edits of it on
//! each side. Two notes, because one may hold ten thousand characters at most (PROTOCOL A7).

use serde_json::{Value, json};

use super::{Act, Story, Waiting};

/// Sentences that make about 1,500 words.
const SENTENCES: usize = 112;
/// Sentences of one language that stand together.
const PARAGRAPH: usize = 7;

/// A sentence with places for a name, a companion, a time and a number.
const ENGLISH: [&str; 16] = [
    "Today I read {name} slowly, {time}, and stopped after {number} verses to write this down.",
    "{companion} asked what the story in {name} teaches, and I had no short answer.",
    "The same word comes back {number} times in {name}, each time with another shade.",
    "I copied the passage from {name} by hand {time}, since the hand remembers what the eye forgets.",
    "What I call patience in {name} is closer to trust than to waiting.",
    "With {companion} I compared two explanations of {name}, and both of them left something open.",
    "Question {number} on {name}: why does the address change here from they to you?",
    "The rhythm of {name} changes in the middle, and so does its subject.",
    "I recited a page of {name} to {companion} {time} and lost my way only once.",
    "In {name} mercy is named before punishment, and I want to count how often that is so.",
    "My plan for {name} is modest: {number} lines a day, and a rest on the seventh.",
    "A good translation of this verse of {name} would need a whole sentence for one small word.",
    "{companion} says that a note on {name} without a question mark is only half a note.",
    "I went back to {name} {time}, and the beginning reads differently once the end is known.",
    "Of the commands that I found in {name} most concern the tongue and few concern the hand.",
    "For tomorrow: read {name} aloud once, then listen to a reciter, then close the book.",
];

const ARABIC: [&str; 16] = [
    "قرأتُ اليوم سورة {name} على مهل {time}، ووقفتُ بعد {number} آيات لأكتب هذه الأسطر.",
    "سألتني {companion} عن العبرة في سورة {name}، فلم أجد جوابًا قصيرًا.",
    "تتكرر الكلمة نفسها في سورة {name} {number} مرات، وفي كل مرة لها ظلّ مختلف.",
    "نسختُ المقطع من سورة {name} بيدي {time}، فاليد تحفظ ما تنساه العين.",
    "ما أسمّيه صبرًا في سورة {name} أقرب إلى الثقة منه إلى الانتظار.",
    "قارنتُ مع {companion} بين تفسيرين لسورة {name}، وكلاهما ترك سؤالًا مفتوحًا.",
    "السؤال رقم {number} عن سورة {name}: لماذا ينتقل الخطاب هنا من الغائب إلى المخاطب؟",
    "يتغيّر إيقاع سورة {name} في وسطها، ويتغيّر معه موضوعها.",
    "سمّعتُ صفحة من سورة {name} أمام {companion} {time}، ولم أخطئ إلا مرة واحدة.",
    "تُذكر الرحمة قبل العقاب في سورة {name}، وأريد أن أحصي كم مرة يحدث ذلك.",
    "خطتي مع سورة {name} متواضعة: {number} أسطر كل يوم، وراحة في اليوم السابع.",
    "تحتاج هذه الآية من سورة {name} في الترجمة إلى جملة كاملة من أجل كلمة صغيرة واحدة.",
    "تقول {companion} إن الملاحظة على سورة {name} بلا سؤال نصف ملاحظة.",
    "عدتُ إلى سورة {name} {time}، فبدا أولها مختلفًا بعد أن عرفتُ آخرها.",
    "أكثر ما وجدتُ من الأوامر في سورة {name} للّسان وأقلّه لليد.",
    "لغدٍ إن شاء الله: أقرأ سورة {name} جهرًا، ثم أسمع قارئًا، ثم أغلق الكتاب.",
];

/// Name in English and in Arabic.
const NAMES: [(&str, &str); 14] = [
    ("Joseph", "يوسف"),
    ("The Cave", "الكهف"),
    ("Mary", "مريم"),
    ("Ta-Ha", "طه"),
    ("The Light", "النور"),
    ("Luqman", "لقمان"),
    ("Ya-Sin", "يس"),
    ("The Chambers", "الحجرات"),
    ("The Merciful", "الرحمن"),
    ("The Kingdom", "الملك"),
    ("The Morning", "الضحى"),
    ("The Bees", "النحل"),
    ("The Spider", "العنكبوت"),
    ("The Night Journey", "الإسراء"),
];
const COMPANIONS: [(&str, &str); 5] = [
    ("My sister", "أختي"),
    ("My teacher", "معلّمتي"),
    ("My neighbour", "جارتي"),
    ("My daughter", "ابنتي"),
    ("My aunt", "خالتي"),
];
const TIMES: [(&str, &str); 4] = [
    ("after dawn", "بعد الفجر"),
    ("on the train", "في القطار"),
    ("before sleep", "قبل النوم"),
    ("between two lessons", "بين درسين"),
];

/// What a hand does to a sentence.
#[derive(Clone, Copy)]
enum Edit {
    /// A phrase and a colon before it.
    Begin(&'static str),
    /// Another sentence behind this one.
    Add(&'static str),
    /// The sentence goes.
    Remove,
    /// Another sentence before this one.
    Insert(&'static str),
}

type Edits = [(usize, Edit); 6];

/// Sentence and edit, for the two notes. Where both sides name a sentence they overlap; once they agree.
const ON_DEVICE: [Edits; 2] = [
    [
        (3, Edit::Add("I should do this more often.")),
        (17, Edit::Begin("In the quiet of the evening")),
        (29, Edit::Add("That is the sentence I want to keep.")),
        (52, Edit::Remove),
        (71, Edit::Insert("A correction after class: the pause comes one word earlier.")),
        (95, Edit::Add("أراجعها مرة أخرى يوم الجمعة.")),
    ],
    [
        (5, Edit::Begin("On a rainy Thursday")),
        (24, Edit::Insert("ملاحظة جانبية: اسأل عن معنى هذه اللفظة.")),
        (43, Edit::Add("The margin of my copy is full by now.")),
        (60, Edit::Add("No answer yet.")),
        (88, Edit::Remove),
        (107, Edit::Add("والحمد لله على التمام.")),
    ],
];
const ON_SERVER: [Edits; 2] = [
    [
        (8, Edit::Add("كتبتُ هذا على عجل.")),
        (17, Edit::Begin("In the noise of the station")),
        (36, Edit::Remove),
        (52, Edit::Add("أسأل مرة أخرى في الشهر القادم.")),
        (80, Edit::Insert("أضفتُ هذا السطر من الحاسوب.")),
        (95, Edit::Add("أراجعها مرة أخرى يوم الجمعة.")),
    ],
    [
        (14, Edit::Add("The web version of this page reads better.")),
        (24, Edit::Insert("ملاحظة جانبية: وجدتُ معنى اللفظة في المعجم.")),
        (48, Edit::Begin("Much later")),
        (60, Edit::Add("An answer came from the study circle.")),
        (79, Edit::Add("أكمل من هنا غدًا.")),
        (110, Edit::Insert("أمر أخير قبل أن أغلق هذا الدفتر.")),
    ],
];

const IDS: [&str; 2] = ["n-journal-1", "n-journal-2"];
const RANGES: [&str; 2] = ["12:1-12:111", "18:1-18:110"];

pub(super) fn fill(story: &mut Story) {
    let mutations = |op: &str, edits: Option<&[Edits; 2]>| -> Vec<Value> {
        let note = |half: usize| {
            let body = text(half, edits.map_or(&[][..], |edits| &edits[half]));
            let data = json!({ "body": body, "ranges": [RANGES[half]] });
            json!({ "type": op, "resource": "NOTE", "resourceId": IDS[half], "data": data })
        };
        (0..IDS.len()).map(note).collect()
    };
    let act = |by: &str, minutes_ago, mutations| Act {
        by: by.to_owned(),
        minutes_ago,
        mutations,
        sent: Vec::new(),
        acknowledged: false,
    };
    story.agreed.push(act("tablet-h", 30_000, mutations("CREATE", None)));
    story.since.push(act("web", 300, mutations("UPDATE", Some(&ON_SERVER))));
    let waiting = |(at, mutation)| Waiting {
        id: format!("q{}", at + 1),
        minutes_ago: 900 - 60 * i64::try_from(at).unwrap_or_default(),
        mutation,
        base: true,
        retry_count: 0,
        last_error: None,
    };
    story.queue.extend(mutations("UPDATE", Some(&ON_DEVICE)).into_iter().enumerate().map(waiting));
}

/// One half of the journal, after `edits`.
fn text(half: usize, edits: &[(usize, Edit)]) -> String {
    let after_edits = |at: usize| {
        let edit = edits.iter().find(|(of, _)| *of == at).map(|(_, edit)| *edit);
        edited(&sentence(half * SENTENCES + at), edit)
    };
    let paragraph =
        |from: usize| (from..from + PARAGRAPH).filter_map(after_edits).collect::<Vec<_>>().join(" ");
    (0..SENTENCES).step_by(PARAGRAPH).map(paragraph).collect::<Vec<_>>().join("\n\n")
}

/// The sentence of this number: paragraphs of English and of Arabic take turns.
fn sentence(number: usize) -> String {
    // Each round goes through all frames, and each frame moves on to the next name from round to round.
    let (round, frame) = (number / ENGLISH.len(), number * 3 % ENGLISH.len());
    let (name, companion) = (NAMES[(round + frame * 5) % NAMES.len()], COMPANIONS[number % COMPANIONS.len()]);
    let time = TIMES[(round + frame) % TIMES.len()];
    let is_english = (number / PARAGRAPH).is_multiple_of(2);
    let pick = |(english, arabic): (&'static str, &'static str)| if is_english { english } else { arabic };
    let frame = if is_english { ENGLISH[frame] } else { ARABIC[frame] };
    let companion = pick(companion);
    let companion = match frame.find("{companion}") {
        Some(0) | None => companion.to_owned(),
        Some(_) => companion.replacen("My", "my", 1),
    };
    frame
        .replace("{name}", pick(name))
        .replace("{companion}", &companion)
        .replace("{time}", pick(time))
        .replace("{number}", &(number % 7 + 3).to_string())
}

/// The sentence after the edit; `None` where it is removed.
fn edited(sentence: &str, edit: Option<Edit>) -> Option<String> {
    match edit {
        None => Some(sentence.to_owned()),
        Some(Edit::Begin(words)) => Some(format!("{words}: {sentence}")),
        Some(Edit::Add(words)) => Some(format!("{sentence} {words}")),
        Some(Edit::Insert(words)) => Some(format!("{words} {sentence}")),
        Some(Edit::Remove) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_hold_three_thousand_words_and_fit_a_note() {
        let halves = [text(0, &[]), text(1, &[])];
        let words: usize = halves.iter().map(|half| half.split_whitespace().count()).sum();
        assert!((3000..3300).contains(&words), "{words}");
        for half in 0..2 {
            for edits in [&[][..], &ON_DEVICE[half], &ON_SERVER[half]] {
                let length = text(half, edits).encode_utf16().count();
                assert!(length <= 10_000, "{length}");
            }
            assert_eq!(halves[half].matches("\n\n").count(), SENTENCES / PARAGRAPH - 1);
        }
        let arabic = halves.concat().split_whitespace().filter(|w| w.chars().any(|c| c > '\u{600}')).count();
        assert!((words * 2 / 5..words * 3 / 5).contains(&arabic), "{arabic} of {words}");
    }

    #[test]
    fn no_sentence_stands_twice_and_every_place_is_filled() {
        let mut sentences: Vec<_> = (0..2 * SENTENCES).map(sentence).collect();
        assert!(sentences.iter().all(|s| !s.contains('{')));
        sentences.sort_unstable();
        let repeated = sentences.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(repeated, 0);
    }

    #[test]
    fn there_are_a_dozen_edits_on_each_side_of_which_some_overlap() {
        for half in 0..2 {
            let places = |edits: &Edits| edits.iter().map(|(at, _)| *at).collect::<Vec<_>>();
            let device = places(&ON_DEVICE[half]);
            let both = places(&ON_SERVER[half]).into_iter().filter(|at| device.contains(at)).count();
            assert!((2..=3).contains(&both), "{both}");
            assert!(device.iter().all(|at| *at < SENTENCES));
        }
    }
}
