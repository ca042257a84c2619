//! White space around tags: `~`, and tags that stand alone on a line, which take the line with them.
//!
//! The decisions look at the original text, the cuts are made on the value, as in Handlebars: what one tag has cut
//! does not change what its neighbour sees.

use super::ast::{Block, Content, Program, Statement, Strip};
use crate::meta::ecmascript::is_white_space;

/// What a tag asks of the text around it.
#[derive(Default)]
struct Request {
    strip: Strip,
    open_standalone: bool,
    close_standalone: bool,
    inline_standalone: bool,
}

pub(super) fn control(program: &mut Program) {
    control_program(program, true);
}

fn control_program(program: &mut Program, root: bool) {
    let body = &mut program.body;
    for at in 0..body.len() {
        let Some(request) = body.get_mut(at).and_then(control_statement) else {
            continue;
        };
        let before = is_space_before(body, at, root);
        let after = is_space_after(body, Some(at), root);
        if request.strip.close {
            cut_start(body.get_mut(at + 1), true);
        }
        if request.strip.open {
            cut_end(previous(body, at), true);
        }
        if request.inline_standalone && before && after {
            cut_start(body.get_mut(at + 1), false);
            cut_end(previous(body, at), false);
        }
        if request.open_standalone && before {
            if let Some(Statement::Block(block)) = body.get_mut(at) {
                cut_start(
                    first(block.program.as_mut().or(block.inverse.as_mut())),
                    false,
                );
            }
            cut_end(previous(body, at), false);
        }
        if request.close_standalone && after {
            cut_start(body.get_mut(at + 1), false);
            if let Some(Statement::Block(block)) = body.get_mut(at) {
                cut_end(
                    last(block.inverse.as_mut().or(block.program.as_mut())),
                    false,
                );
            }
        }
    }
}

fn control_statement(statement: &mut Statement) -> Option<Request> {
    match statement {
        Statement::Content(_) => None,
        Statement::Mustache { strip, .. } => Some(Request {
            strip: *strip,
            ..Request::default()
        }),
        Statement::Partial { strip, .. }
        | Statement::Decorator { strip }
        | Statement::Comment { strip } => Some(Request {
            strip: *strip,
            inline_standalone: true,
            ..Request::default()
        }),
        Statement::Block(block) => Some(control_block(block)),
    }
}

fn control_block(block: &mut Block) -> Request {
    if let Some(program) = &mut block.program {
        control_program(program, false);
    }
    if let Some(inverse) = &mut block.inverse {
        control_program(inverse, false);
    }
    let (open, close, inverted) = (block.open, block.close, block.inverted);
    let (program, mut inverse) = match (&mut block.program, &mut block.inverse) {
        (Some(program), inverse) => (program, inverse.as_mut()),
        (None, Some(inverse)) => (inverse, None),
        (None, None) => return Request::default(),
    };
    let open_standalone = is_space_after(&program.body, None, false);
    let close_standalone = match &mut inverse {
        Some(inverse) => first_inverse(inverse).is_some_and(|first| ends_in_space(&first.body)),
        None => ends_in_space(&program.body),
    };
    if open.close {
        cut_start(program.body.first_mut(), true);
    }
    match &mut inverse {
        Some(inverse) => control_inverse(program, inverse, inverted, close),
        None if close.open => cut_end(program.body.last_mut(), true),
        None => {}
    }
    Request {
        strip: Strip {
            open: open.open,
            close: close.close,
        },
        open_standalone,
        close_standalone,
        inline_standalone: false,
    }
}

fn control_inverse(program: &mut Program, inverse: &mut Program, inverted: Strip, close: Strip) {
    if inverted.open {
        cut_end(program.body.last_mut(), true);
    }
    if inverted.close {
        cut_start(first(first_inverse(inverse)), true);
    }
    if close.open {
        cut_end(last(last_inverse(inverse)), true);
    }
    let after =
        first_inverse(inverse).is_some_and(|first| is_space_after(&first.body, None, false));
    if after && ends_in_space(&program.body) {
        cut_end(program.body.last_mut(), false);
        cut_start(first(first_inverse(inverse)), false);
    }
}

/// The program that follows the first `{{else}}`, which a chain wraps in a block.
fn first_inverse(inverse: &mut Program) -> Option<&mut Program> {
    if !inverse.chained {
        return Some(inverse);
    }
    match inverse.body.first_mut() {
        Some(Statement::Block(block)) => block.program.as_mut(),
        _ => None,
    }
}

/// The last program of a chain.
fn last_inverse(inverse: &mut Program) -> Option<&mut Program> {
    let mut program = inverse;
    while program.chained {
        program = match program.body.last_mut() {
            Some(Statement::Block(block)) => block.program.as_mut()?,
            _ => return None,
        };
    }
    Some(program)
}

fn previous(body: &mut [Statement], at: usize) -> Option<&mut Statement> {
    at.checked_sub(1).and_then(|before| body.get_mut(before))
}

fn first(program: Option<&mut Program>) -> Option<&mut Statement> {
    program?.body.first_mut()
}

fn last(program: Option<&mut Program>) -> Option<&mut Statement> {
    program?.body.last_mut()
}

fn content(statement: &mut Statement) -> Option<&mut Content> {
    match statement {
        Statement::Content(content) => Some(content),
        _ => None,
    }
}

fn ends_in_space(body: &[Statement]) -> bool {
    is_space_before(body, body.len(), false)
}

/// Whether only white space stands between the statement and the start of its line.
fn is_space_before(body: &[Statement], at: usize, root: bool) -> bool {
    let Some(previous) = at.checked_sub(1).and_then(|before| body.get(before)) else {
        return root;
    };
    let Statement::Content(Content { original, .. }) = previous else {
        return false;
    };
    let tail = original.trim_end_matches(|c| is_white_space(c) && c != '\n');
    tail.ends_with('\n') || tail.is_empty() && at == 1 && root
}

/// Whether only white space stands between the statement, or the start of the body, and the end of the line.
fn is_space_after(body: &[Statement], at: Option<usize>, root: bool) -> bool {
    let next = at.map_or(0, |at| at + 1);
    let Some(statement) = body.get(next) else {
        return root;
    };
    let Statement::Content(Content { original, .. }) = statement else {
        return false;
    };
    let head = original.trim_start_matches(|c| is_white_space(c) && c != '\n');
    head.starts_with('\n') || head.is_empty() && next + 1 == body.len() && root
}

/// Cuts white space off the start of a text: all of it, or up to and including the end of the line.
fn cut_start(statement: Option<&mut Statement>, all: bool) {
    let Some(content) = statement.and_then(content) else {
        return;
    };
    if !all && content.right_stripped {
        return;
    }
    let rest = if all {
        content.value.trim_start_matches(is_white_space)
    } else {
        let rest = content.value.trim_start_matches([' ', '\t']);
        let rest = rest.strip_prefix('\r').unwrap_or(rest);
        rest.strip_prefix('\n').unwrap_or(rest)
    };
    content.right_stripped = rest.len() != content.value.len();
    content.value = rest.to_owned();
}

/// Cuts white space off the end of a text: all of it, or back to the start of the line.
fn cut_end(statement: Option<&mut Statement>, all: bool) {
    let Some(content) = statement.and_then(content) else {
        return;
    };
    if !all && content.left_stripped {
        return;
    }
    let kept = if all {
        content.value.trim_end_matches(is_white_space)
    } else {
        content.value.trim_end_matches([' ', '\t'])
    };
    content.left_stripped = kept.len() != content.value.len();
    content.value.truncate(kept.len());
}
