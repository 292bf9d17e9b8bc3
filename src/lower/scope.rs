//! What a name can see: locals, parts of a module, definitions of a file or of the library.

use super::instance::Instance;
use super::object::{Object, Thunk};
use crate::shape::Size;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A file with everything it extends, or the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpaceId(pub usize);

/// Nested surroundings, innermost first.
#[derive(Clone, Debug)]
pub struct Env<'p>(pub Rc<EnvNode<'p>>);

/// One layer and what lies around it.
#[derive(Debug)]
pub struct EnvNode<'p> {
    /// The names of this layer.
    pub layer: Layer<'p>,
    /// What lies around it.
    pub around: Option<Env<'p>>,
}

/// The kinds of surroundings.
#[derive(Debug)]
pub enum Layer<'p> {
    /// A file or the library.
    Space(SpaceId),
    /// Parts and static parameters of a module.
    Instance(Rc<Instance<'p>>),
    /// Only the capitals of a module: what a part given from outside by `with` sees of it.
    Capitals(Rc<Instance<'p>>),
    /// Parameters and local definitions of a call.
    Locals(Locals<'p>),
}

/// The few names that a call or a module has. They are looked through in order: so few are found faster than hashed.
#[derive(Clone, Debug)]
pub struct Names<'p, V>(Vec<(&'p str, V)>);

impl<V> Default for Names<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'p, V> Names<'p, V> {
    /// What a name stands for.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// As written, with what it stands for, to change it.
    pub fn entry(&mut self, name: &str) -> Option<(&'p str, &mut V)> {
        self.0.iter_mut().find(|(known, _)| *known == name).map(|(known, value)| (*known, value))
    }

    /// Gives a name a meaning, in the place of an earlier one.
    pub fn insert(&mut self, name: &'p str, value: V) {
        match self.entry(name) {
            Some((_, known)) => *known = value,
            None => self.0.push((name, value)),
        }
    }

    /// All names with their meanings, in the order of their first.
    pub fn iter(&self) -> impl Iterator<Item = (&'p str, &V)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl<'p, V> FromIterator<(&'p str, V)> for Names<'p, V> {
    fn from_iter<I: IntoIterator<Item = (&'p str, V)>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|(name, value)| all.insert(name, value));
        all
    }
}

/// Names of one call.
#[derive(Debug, Default)]
pub struct Locals<'p> {
    /// Arguments, capitals, and local definitions as far as they were needed.
    pub known: RefCell<Names<'p, Object<'p>>>,
    /// Sizes of capitals bound by the signature.
    pub capitals: RefCell<Names<'p, Object<'p>>>,
    /// Local definitions not needed yet, and whether they are being evaluated.
    pub later: RefCell<Names<'p, (Thunk<'p>, bool)>>,
    /// The world the call was made in.
    pub world: Cell<usize>,
}

impl<'p> Env<'p> {
    /// The surroundings of a whole file.
    pub fn space(id: SpaceId) -> Self {
        Self(Rc::new(EnvNode { layer: Layer::Space(id), around: None }))
    }

    /// One more layer.
    #[must_use]
    pub fn with(&self, layer: Layer<'p>) -> Self {
        Self(Rc::new(EnvNode { layer, around: Some(self.clone()) }))
    }

    /// The layers, innermost first.
    pub fn layers(&self) -> impl Iterator<Item = &Env<'p>> {
        std::iter::successors(Some(self), |env| env.0.around.as_ref())
    }

    /// The file or library it lies in.
    pub fn space_id(&self) -> SpaceId {
        self.layers()
            .find_map(|env| if let Layer::Space(id) = env.0.layer { Some(id) } else { None })
            .unwrap_or(SpaceId(0))
    }

    /// The locals of the innermost layer.
    pub fn locals(&self) -> Option<&Locals<'p>> {
        if let Layer::Locals(locals) = &self.0.layer { Some(locals) } else { None }
    }
}

impl<'p> Locals<'p> {
    /// Binds a name.
    pub fn set(&self, name: &'p str, value: Object<'p>) {
        self.known.borrow_mut().insert(name, value);
    }

    /// Binds a capital.
    pub fn set_capital(&self, name: &'p str, value: Object<'p>) {
        self.capitals.borrow_mut().insert(name, value);
    }

    /// A size by its capital.
    pub fn size(&self, name: &str) -> Option<Size> {
        match self.capitals.borrow().get(name) {
            Some(Object::Whole(size)) => Some(size.clone()),
            _ => None,
        }
    }
}
