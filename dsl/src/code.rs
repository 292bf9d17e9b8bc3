//! Every error code, one row each: what it says, what it means, what to do.
//!
//! Invariant: a code once published keeps its meaning; `E01` is the text, `E02` names, `E03` shapes, `E04` modalities and
//! `with`, `E05` states, `E06` stages and tasks.
//!
//! ```
//! use chiasm_dsl::code::Code;
//! let code = Code::find("E0201").unwrap();
//! assert_eq!((code.name(), code.title()), ("E0201", "unknown name"));
//! ```

macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal $cure:literal)*) => {
        /// An error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $title] $code,)*
        }

        impl Code {
            /// All codes in order.
            pub fn all() -> &'static [Code] {
                &[$(Code::$code),*]
            }

            /// `E0201`
            pub fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            /// What it says, in a few words.
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            /// What it means.
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$code => $explanation,)* }
            }

            /// What to do about it.
            pub fn cure(self) -> &'static str {
                match self { $(Code::$code => $cure,)* }
            }
        }
    };
}

impl Code {
    /// The code of a name such as `E0203`, in small or capital letters.
    pub fn find(name: &str) -> Option<Code> {
        Code::all().iter().copied().find(|code| code.name().eq_ignore_ascii_case(name))
    }
}

codes! {
    E0101 "unexpected character"
        "Outside texts and comments a file holds letters, digits and the operators of the language, all ASCII. Nothing begins with this character."
        "Remove it. If it came by copying, it is often a curly quote, a long dash or a special space: type the plain one."
    E0102 "unexpected word or sign"
        "The grammar expects something else here, or a bracket is never closed. Expressions and brackets may be nested about 200 deep."
        "Write what the message expects. If it points at a bracket, close it before the next definition begins."
    E0103 "text without closing quote"
        "A text stands in double quotes on one line; there are no escapes."
        "Add the closing quote on the same line."
    E0104 "reserved word as a name"
        "The words `if then else and or not for in with as route return` have a meaning everywhere and cannot name anything."
        "Choose another name."
    E0105 "operator after a pipe"
        "What follows a step of a pipe must be `->` or the end of the expression: `x -> f * 2` could be read in two ways."
        "Put the pipe in parentheses: `(x -> f) * 2`."
    E0106 "defined twice"
        "A file is a set of definitions, each name once. Inputs, values, modules, states, losses, data, functions and `set`s share one space of names; stages, tasks and weight maps have one each."
        "Rename or remove one of the two. To change an inherited definition, write it in a file that begins with `extend`."
    E0107 "a primitive cannot be redefined"
        "The primitives (`take`, `concat`, `attend`, `Param` ...) mean the same in every file. Names of the library may be redefined."
        "Choose another name."
    E0108 "no such file"
        "`extend` and `use` name a file relative to the file in which they stand."
        "Correct the path, or create the file."
    E0109 "`extend` comes first, and once"
        "A file takes over one other file as a whole, before it adds and replaces definitions. Several modules and functions can come from several files by `use`."
        "Move `extend` to the top of the file and remove a second one."
    E0201 "unknown name"
        "No parameter, local definition, definition of the file, library name or primitive is called this."
        "Correct the spelling, or define it."
    E0202 "no such part"
        "A module has the parts its definition lists. `with`, paths and `.name` can speak only of those."
        "Use one of the parts that the message lists."
    E0203 "no such argument"
        "An argument given by name must be a parameter of what is called."
        "Use one of the parameters that the message lists."
    E0204 "unknown stage, task or weights"
        "Stages, tasks and weight maps have names of their own, apart from the definitions."
        "Correct the spelling, or define it."
    E0205 "unknown parameter"
        "`set` in a stage and `--set` on the command line change static parameters that the file declares with `set` at its top level."
        "Use one of the parameters that the message lists."
    E0206 "unknown field"
        "Stages and tasks have a closed list of fields, so that a misspelt one is not silently ignored."
        "Use one of the fields that the message lists."
    E0207 "never used"
        "No stage or task reaches this definition. In a variant that is often a misspelt replacement."
        "Use it, remove it, or correct its name."
    E0208 "definitions in a circle"
        "A definition needs itself, through the definitions that the message lists."
        "Break the circle. For a value from earlier steps write a `state`; for a slow copy, `momentum(model, rate)`."
    E0209 "unknown modality"
        "The modalities are `image`, `text`, `fused`, and those that the file declares."
        "Correct the spelling, or declare it: `modality audio`."
    E0210 "cannot be applied"
        "Only modules, functions and lists of modules can be applied. A module must have a name before that, since the name is the path of its parameters."
        "Give the module a name: `layer = Linear(3)`, then `layer(x)`."
    E0211 "an argument is missing"
        "A parameter without a default must be given."
        "Add the argument that the message names."
    E0212 "arguments do not fit"
        "Arguments are bound by position, then by name, each once."
        "Remove the surplus argument, or give the positional ones first."
    E0213 "unknown token or field of a vocabulary"
        "A vocabulary knows its special tokens (`cls`, `sep`, `mask` ...), if its tokenizer has them."
        "Use one of those that the message lists."
    E0214 "calls without end"
        "Functions and modules are expanded at each call, so one that calls itself would never end."
        "Remove the recursion; for a repetition write a list: `[Layer() for i < n]`."
    E0215 "unknown column, or nothing was inherited"
        "The name stands for a column of the data, or for something of the extended file, that does not exist."
        "Correct the name."
    E0301 "shapes do not fit"
        "Pointwise, the shorter shape must equal the end of the longer one. The message says which axes meet."
        "Transpose, index or `rearrange` one side, or compute a size that fits."
    E0302 "`@` does not fit"
        "In `x @ y` the last axis of x and the first matrix axis of y must be equal."
        "A transposition is often missing: `x @ y'`."
    E0303 "an argument has the wrong shape"
        "The signature says which shape a parameter takes. A capital is fixed by the first argument that has it and must agree afterwards."
        "Pass a tensor of that shape; the message says which axis differs and who fixed it."
    E0304 "the result has another type than promised"
        "The type behind `->` of a function is checked at each call."
        "Correct the body or the promise."
    E0305 "a requirement of a module is not met"
        "A module may state what must hold for its sizes: `require D % heads == 0`."
        "Change one of the values that the message lists."
    E0306 "two calls with different sizes"
        "A size that a module learns from its first call (`I` of a `Linear`) belongs to it from then on."
        "Use a second module for the other size, or make the sizes equal."
    E0307 "index outside an axis"
        "An index or a range must lie inside the axis; negative ones count from the end."
        "Correct the index."
    E0308 "padded differently"
        "Two axes are padded, each by lengths of its own, so their places do not correspond."
        "Reduce or join the sequences instead of combining them place by place."
    E0309 "a rearrangement is wrong"
        "Each name of a pattern stands once on each side, and sizes in parentheses must be known or follow from the axis."
        "Correct the pattern; give sizes by name: `rearrange(x, \"b n (h k) -> b h n k\", h: heads)`."
    E0310 "a parameter depends on the batch size"
        "Parameters are made once, before there is a batch."
        "Use a fixed size in the shape of the `Param`."
    E0311 "ids of another vocabulary, or not ids"
        "Ids know how many there are or to which vocabulary they belong, and a table or classifier must fit."
        "Use the table of the same vocabulary, or ids of a smaller range."
    E0312 "things to be put together differ"
        "`concat` and `join` need tensors that agree in all axes but one."
        "Make the other axes equal."
    E0313 "a single number is needed"
        "A loss, a temperature or a condition must be one number, not a tensor."
        "Reduce it, for example with `mean`."
    E0314 "a primitive refuses its arguments"
        "The message says what this primitive needs."
        "Pass what it needs."
    E0315 "a tensor is needed, this is a module"
        "A module is a function with parameters; only its result can be computed with."
        "Apply it: `m(x)`, or `x -> m`."
    E0316 "not a size"
        "A size is a whole number, or a sum of whole multiples of batch sizes. A fraction, a division by zero and the product of two batch sizes are none."
        "Change the numbers so that the size comes out whole."
    E0401 "the wrong modality"
        "A parameter typed `text[B, D]` accepts texts only, so that two modalities cannot be confused."
        "Pass the other tensor; if you know better, say so: `x as text`."
    E0402 "no expert for this modality"
        "`route` takes the arm of its value's modality, and there is none."
        "Add an arm, or pass a sequence made by `join`, which splits into its parts."
    E0403 "a mask speaks of absent modalities"
        "`sees(a, b)` relates tokens of two modalities, but this attention has no such tokens."
        "Correct the mask, or join the sequences first."
    E0404 "has seen the words after each word"
        "The parameter is typed `causal`: its values may not depend on later places, otherwise predicting them is no task."
        "Give every attention over these words a causal mask: `mask: causal`."
    E0405 "a causal mask needs equally many queries and keys"
        "\"Later\" has a meaning only if queries and keys are the same places."
        "Use `sees` or `prefix`, or no mask."
    E0406 "no such part of a sequence"
        "`x.text` is a segment of a joined sequence, and this one has no such segment."
        "Use one of the parts that the message lists."
    E0407 "does not depend on the replaced name"
        "`x with { a = b }` computes x again with b in the place of a; if x does not need a, nothing changes."
        "Replace one of the definitions that the message lists."
    E0408 "cannot take the place"
        "A replacement needs the rank, the modality and the vocabulary of what it replaces."
        "Bring it to that type, for example with `as`."
    E0409 "cannot be replaced"
        "`with` on a value replaces inputs, values, losses and modules of the file; not `set`s, functions and local names."
        "Replace a definition of the file."
    E0410 "`with` does not apply"
        "`with` needs a module, a value, a stage or data."
        "For a list, walk it: `[l with { … } for l in xs]`."
    E0411 "a mask is needed"
        "The mask of an attention is a relation of places, made of `causal`, `sees` and `prefix`; not a tensor."
        "Pass such a relation, joined by `and`, `or`, `not`."
    E0501 "a state changes its type"
        "What a state becomes must have the type that it was declared with."
        "Correct the declared type, or the expression behind `then`."
    E0502 "a state begins with another type"
        "What a state begins as must have the type that it was declared with."
        "Correct the declared type, or the start."
    E0601 "a required field is missing"
        "A stage must say `minimise` and `data`, a task `answer`."
        "Add the field."
    E0602 "the data lacks an input of the stage"
        "A loss needs an input that no column of the data feeds."
        "Use data that has it, or minimise something else."
    E0603 "nothing that trains can change this loss"
        "Every parameter it depends on is frozen, stopped or absent, so minimising it has no effect."
        "Train some of its parameters, or leave the loss out."
    E0604 "two stages do not fit together"
        "The stage starts from another one, and a parameter has different shapes in the two."
        "Make the sizes equal, or give the parameter a rule: `Param(…, resize: grid)`."
    E0605 "cannot be accumulated"
        "The objective compares rows of a batch, so several small batches do not add up to a large one."
        "Remove `accumulate`, or use a smaller batch."
    E0606 "not a loss"
        "`minimise` is a sum of definitions made by `loss`."
        "Define it by `loss name = …`."
    E0607 "a path finds nothing"
        "`freeze`, `train` and `rate` speak of modules, parameters or states of the model."
        "Correct the path."
    E0608 "must be computable alone"
        "Retrieval compares everything with everything, so each feature may depend on its own input only. What needs both belongs to `rerank`."
        "Use a feature of one modality here."
    E0609 "written from left to right, but looks ahead"
        "A text is written word by word, so the logits may not depend on words that come later."
        "Give the attention a causal mask: `mask: causal`."
    E0610 "the data lacks an input of the task"
        "The answer needs an input that no column of the data feeds."
        "Use data that has it."
    E0611 "a weight rule finds nothing, or something is left"
        "Every rule must find a parameter of the model, and every parameter below a mapped path must be found."
        "Correct the rule, or keep initial values: `path = fresh`."
    E0612 "does not measure this"
        "Each protocol has its own metrics."
        "Report one of those that the message lists."
    E0613 "not data, or not an answer"
        "The field needs a data source or a protocol of the closed list, and one batch symbol per source."
        "Use one of those that the message lists."
}
