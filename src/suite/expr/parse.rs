//! From text to a tree that knows where each part stands, and from there to an [`Expr`].
//!
//! ```text
//! bound   = any | none | bad | good | request | 'word' | [ bound, ... ] | cmp sum | sum .. sum | sum
//! expr    = and { or and }        and = not { and not }        not = [not] compare
//! compare = sum [ cmp sum ]       sum = product { +|- product }  product = unary { *|/ unary }
//! unary   = [-] primary           primary = number | duration | true | false | name | ( expr )
//! ```
//! Depth and size have limits, so nothing that is built here is too deep to walk by recursion.

use super::lex::{Spanned, Token, lex};
use super::{BinaryOp, Bound, Expr};
use std::fmt;
use std::time::Duration;

/// Brackets and signs within one another.
const DEPTH_MAX: usize = 32;
/// Tokens of one expression. A chain of `+` is as deep as it is long.
const TOKENS_MAX: usize = 512;

/// What is wrong with an expression, and the octets of its text that show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    pub message: String,
    pub start: usize,
    pub end: usize,
    pub help: Option<String>,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ParseError {}

/// An expression that still knows where its parts were written.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::suite) struct Tree {
    pub(in crate::suite) start: usize,
    pub(in crate::suite) end: usize,
    pub(in crate::suite) node: TreeNode,
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::suite) enum TreeNode {
    Int(i64),
    Duration(Duration),
    Bool(bool),
    Name(String),
    Neg(Box<Tree>),
    Not(Box<Tree>),
    Binary(BinaryOp, Box<Tree>, Box<Tree>),
}

#[derive(Debug, Clone, PartialEq)]
pub(in crate::suite) enum BoundTree {
    Any,
    Absent,
    Is(Tree),
    Range(Tree, Tree),
    Compare(BinaryOp, Tree),
    OneOf(Vec<Self>),
    Word(String),
}

impl Tree {
    /// The expression, with every name that `bind` knows replaced by what it stands for.
    pub(in crate::suite) fn bind(self, bind: &mut dyn FnMut(&str) -> Option<Expr>) -> Expr {
        match self.node {
            TreeNode::Int(value) => Expr::Int(value),
            TreeNode::Duration(value) => Expr::Duration(value),
            TreeNode::Bool(value) => Expr::Bool(value),
            TreeNode::Name(name) => bind(&name).unwrap_or(Expr::Name(name)),
            TreeNode::Neg(inner) => Expr::Neg(Box::new(inner.bind(bind))),
            TreeNode::Not(inner) => Expr::Not(Box::new(inner.bind(bind))),
            TreeNode::Binary(op, left, right) => {
                Expr::Binary(op, Box::new(left.bind(bind)), Box::new(right.bind(bind)))
            }
        }
    }

    /// A tree without places, to ask for the type of an expression that has none.
    pub(super) fn unplaced(expr: &Expr) -> Self {
        let inner = |expr: &Expr| Box::new(Self::unplaced(expr));
        let node = match expr {
            Expr::Int(value) => TreeNode::Int(*value),
            Expr::Duration(value) => TreeNode::Duration(*value),
            Expr::Bool(value) => TreeNode::Bool(*value),
            Expr::Name(name) => TreeNode::Name(name.clone()),
            Expr::Neg(of) => TreeNode::Neg(inner(of)),
            Expr::Not(of) => TreeNode::Not(inner(of)),
            Expr::Binary(op, left, right) => TreeNode::Binary(*op, inner(left), inner(right)),
        };
        Self { start: 0, end: 0, node }
    }
}

impl BoundTree {
    pub(in crate::suite) fn bind(self, bind: &mut dyn FnMut(&str) -> Option<Expr>) -> Bound {
        match self {
            Self::Any => Bound::Any,
            Self::Absent => Bound::Absent,
            Self::Is(tree) => Bound::Is(tree.bind(bind)),
            Self::Range(low, high) => Bound::Range(low.bind(bind), high.bind(bind)),
            Self::Compare(op, tree) => Bound::Compare(op, tree.bind(bind)),
            Self::OneOf(all) => Bound::OneOf(all.into_iter().map(|one| one.bind(bind)).collect()),
            Self::Word(word) => Bound::Word(word),
        }
    }
}

/// An expression, as in `when:` or `{send: 1000}`.
pub fn parse_expr(text: &str) -> Result<Expr, ParseError> {
    Ok(parse_tree(text)?.bind(&mut |_| None))
}

/// What a field may be, as in `seq:` or `window:`.
pub fn parse_bound(text: &str) -> Result<Bound, ParseError> {
    Ok(parse_bound_tree(text)?.bind(&mut |_| None))
}

pub(in crate::suite) fn parse_tree(text: &str) -> Result<Tree, ParseError> {
    let mut parser = Parser::new(text)?;
    let tree = parser.or()?;
    parser.end()?;
    Ok(tree)
}

pub(in crate::suite) fn parse_bound_tree(text: &str) -> Result<BoundTree, ParseError> {
    let mut parser = Parser::new(text)?;
    let bound = parser.bound()?;
    parser.end()?;
    Ok(bound)
}

struct Parser {
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Self, ParseError> {
        let tokens = lex(text).map_err(|e| ParseError {
            message: e.message,
            start: e.start,
            end: e.end,
            help: None,
        })?;
        if tokens.len() > TOKENS_MAX {
            let message = format!("the expression is too long: {} parts, at most {TOKENS_MAX}", tokens.len());
            return Err(ParseError { message, start: 0, end: text.len(), help: None });
        }
        Ok(Self { tokens, at: 0, depth: 0 })
    }

    fn peek(&self) -> &Spanned {
        &self.tokens[self.at]
    }

    fn next(&mut self) -> Spanned {
        let token = self.peek().clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn sign(&mut self, signs: &[&'static str]) -> Option<&'static str> {
        match &self.peek().0 {
            Token::Sign(sign) if signs.contains(sign) => {
                let sign = *sign;
                self.next();
                Some(sign)
            }
            _ => None,
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(&self.peek().0, Token::Name(name) if name == word);
        if found {
            self.next();
        }
        found
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ParseError> {
        let (_, start, end) = *self.peek();
        Err(ParseError { message: message.into(), start, end, help: None })
    }

    fn end(&mut self) -> Result<(), ParseError> {
        let (token, start, end) = self.peek().clone();
        let (message, help) = match token {
            Token::End => return Ok(()),
            Token::Sign(sign @ ("==" | "!=" | "<" | "<=" | ">" | ">=")) => (
                format!("`{sign}` cannot stand here"),
                Some(format!("what a field must be is written with the sign first: `{sign} 1000`")),
            ),
            Token::Sign(sign) => (format!("`{sign}` cannot stand here"), None),
            Token::Name(name) => (
                format!("`{name}` cannot stand here"),
                Some("between two values stands an operator: + - * /".to_owned()),
            ),
            Token::Int(_) | Token::Duration(_) | Token::Word(_) => {
                ("an operator is missing".to_owned(), None)
            }
        };
        Err(ParseError { message, start, end, help })
    }

    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, ParseError>) -> Result<T, ParseError> {
        if self.depth >= DEPTH_MAX {
            return self.fail(format!("more than {DEPTH_MAX} levels of brackets or signs"));
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn bound(&mut self) -> Result<BoundTree, ParseError> {
        let (token, following) = (self.peek().0.clone(), self.tokens.get(self.at + 1).map(|next| &next.0));
        // A reserved word is one only where it stands alone.
        let alone = matches!(following, Some(Token::End | Token::Sign("," | "]")));
        match token {
            Token::Name(name) if alone => {
                if let Some(bound) = reserved(&name) {
                    self.next();
                    return Ok(bound);
                }
            }
            Token::Word(word) => {
                self.next();
                return Ok(BoundTree::Word(word));
            }
            _ => {}
        }
        if self.sign(&["["]).is_some() {
            return self.deeper(Self::set);
        }
        if let Some(op) = self.comparison() {
            return Ok(BoundTree::Compare(op, self.sum()?));
        }
        let low = self.sum()?;
        if self.sign(&[".."]).is_some() {
            return Ok(BoundTree::Range(low, self.sum()?));
        }
        Ok(BoundTree::Is(low))
    }

    fn set(&mut self) -> Result<BoundTree, ParseError> {
        let mut all = Vec::new();
        while self.sign(&["]"]).is_none() {
            if !all.is_empty() && self.sign(&[","]).is_none() {
                return self.fail("a `,` or `]` is missing");
            }
            all.push(self.bound()?);
        }
        Ok(BoundTree::OneOf(all))
    }

    fn comparison(&mut self) -> Option<BinaryOp> {
        let sign = self.sign(&["==", "!=", "<=", ">=", "<", ">"])?;
        Some(match sign {
            "==" => BinaryOp::Eq,
            "!=" => BinaryOp::Ne,
            "<=" => BinaryOp::Le,
            ">=" => BinaryOp::Ge,
            "<" => BinaryOp::Lt,
            _ => BinaryOp::Gt,
        })
    }

    fn or(&mut self) -> Result<Tree, ParseError> {
        let mut left = self.and()?;
        while self.word("or") {
            left = binary(BinaryOp::Or, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Tree, ParseError> {
        let mut left = self.not()?;
        while self.word("and") {
            left = binary(BinaryOp::And, left, self.not()?);
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Tree, ParseError> {
        let start = self.peek().1;
        if self.word("not") {
            let inner = self.deeper(Self::not)?;
            return Ok(Tree { start, end: inner.end, node: TreeNode::Not(Box::new(inner)) });
        }
        let left = self.sum()?;
        match self.comparison() {
            Some(op) => Ok(binary(op, left, self.sum()?)),
            None => Ok(left),
        }
    }

    fn sum(&mut self) -> Result<Tree, ParseError> {
        let mut left = self.product()?;
        while let Some(sign) = self.sign(&["+", "-"]) {
            let op = if sign == "+" { BinaryOp::Add } else { BinaryOp::Sub };
            left = binary(op, left, self.product()?);
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Tree, ParseError> {
        let mut left = self.unary()?;
        while let Some(sign) = self.sign(&["*", "/"]) {
            let op = if sign == "*" { BinaryOp::Mul } else { BinaryOp::Div };
            left = binary(op, left, self.unary()?);
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Tree, ParseError> {
        let start = self.peek().1;
        if self.sign(&["-"]).is_some() {
            let inner = self.deeper(Self::unary)?;
            return Ok(Tree { start, end: inner.end, node: TreeNode::Neg(Box::new(inner)) });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Tree, ParseError> {
        let (token, start, end) = self.peek().clone();
        let node = match token {
            Token::Int(value) => TreeNode::Int(value),
            Token::Duration(value) => TreeNode::Duration(value),
            Token::Name(name) => match name.as_str() {
                "true" | "yes" => TreeNode::Bool(true),
                "false" | "no" => TreeNode::Bool(false),
                "and" | "or" | "not" => return self.fail(format!("a value is missing before `{name}`")),
                _ => TreeNode::Name(name),
            },
            Token::Sign("(") => {
                self.next();
                let inner = self.deeper(Self::or)?;
                let end = self.peek().2;
                if self.sign(&[")"]).is_none() {
                    return self.fail("a `)` is missing");
                }
                return Ok(Tree { start, end, node: inner.node });
            }
            Token::End => return self.fail("a value is missing"),
            Token::Sign(sign) => return self.fail(format!("a value is missing before `{sign}`")),
            Token::Word(word) => return self.fail(format!("`{word}` is a word, not a value")),
        };
        self.next();
        Ok(Tree { start, end, node })
    }
}

fn binary(op: BinaryOp, left: Tree, right: Tree) -> Tree {
    Tree { start: left.start, end: right.end, node: TreeNode::Binary(op, Box::new(left), Box::new(right)) }
}

/// The words that mean something of their own as the whole of a bound.
pub(super) fn reserved(word: &str) -> Option<BoundTree> {
    match word {
        "any" => Some(BoundTree::Any),
        "none" => Some(BoundTree::Absent),
        "bad" | "good" | "request" => Some(BoundTree::Word(word.to_owned())),
        _ => None,
    }
}
