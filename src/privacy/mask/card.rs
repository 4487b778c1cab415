//! Card numbers.

use crate::privacy::mask::text::{Place, is_word};

/// The number of a card in the lengths and groups that cards have, which passes Luhn's check (ISO/IEC 7812).
pub(super) fn card_number(Place { before, rest }: Place) -> Option<(usize, usize)> {
    if !rest.starts_with(|letter| ('2'..='6').contains(&letter)) || is_part_of_more(before) {
        return None;
    }
    let (digits, groups, end) = read(rest)?;
    let mut behind = rest[end..].bytes();
    let goes_on = match behind.next() {
        Some(b'.' | b'-' | b',' | b':' | b'/') => behind.next().is_some_and(is_word),
        Some(byte) => is_word(byte),
        None => false,
    };
    let is_grouped = groups.len() == 1 || GROUPS.contains(&&groups[..]);
    (!goes_on && is_grouped && is_issued(&digits) && passes(&digits)).then_some((0, end))
}

/// How cards group their digits, if they do.
const GROUPS: [&[usize]; 5] = [&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 4, 4, 1], &[4, 6, 5], &[4, 6, 4]];

/// First numbers of cards, with how many digits they stand for, and the lengths of the numbers: Visa, Mastercard,
/// American Express, Discover, Diners Club, JCB, `UnionPay`, Maestro, Mir.
const ISSUED: [(u32, u32, usize, &[usize]); 20] = [
    (4, 4, 1, &[13, 16, 19]),
    (51, 55, 2, &[16]),
    (2221, 2720, 4, &[16]),
    (34, 34, 2, &[15]),
    (37, 37, 2, &[15]),
    (6011, 6011, 4, &[16, 19]),
    (644, 649, 3, &[16, 19]),
    (65, 65, 2, &[16, 19]),
    (300, 305, 3, &[14, 16]),
    (36, 36, 2, &[14, 16]),
    (38, 39, 2, &[14, 16]),
    (3528, 3589, 4, &[16, 19]),
    (62, 62, 2, &[16, 17, 18, 19]),
    (5018, 5018, 4, &[13, 14, 15, 16, 17, 18, 19]),
    (5020, 5020, 4, &[13, 14, 15, 16, 17, 18, 19]),
    (5038, 5038, 4, &[13, 14, 15, 16, 17, 18, 19]),
    (5893, 5893, 4, &[13, 14, 15, 16, 17, 18, 19]),
    (6304, 6304, 4, &[13, 14, 15, 16, 17, 18, 19]),
    (6759, 6763, 4, &[13, 14, 15, 16, 17, 18, 19]),
    (2200, 2204, 4, &[16, 17, 18, 19]),
];

const LONGEST: usize = 19;

/// Whether what comes is the rest of a number, an id or a path: `0.4111…`, `a-4111…`, `v/4111…`.
fn is_part_of_more(before: &str) -> bool {
    let mut before = before.bytes().rev();
    match before.next() {
        Some(b'.' | b'-' | b'/') => before.next().is_some_and(is_word),
        Some(byte) => !byte.is_ascii() || byte == b'+' || byte == b'#',
        None => false,
    }
}

/// The digits, how they are grouped, and where they end.
fn read(rest: &str) -> Option<(Vec<u32>, Vec<usize>, usize)> {
    let mut digits = Vec::with_capacity(LONGEST);
    let mut groups = vec![0];
    let mut separator = None;
    let mut end = 0;
    for (place, byte) in rest.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if place > end {
                    groups.push(0);
                }
                digits.push(u32::from(byte - b'0'));
                if let Some(group) = groups.last_mut() {
                    *group += 1;
                }
                end = place + 1;
                if digits.len() > LONGEST {
                    return None;
                }
            }
            b' ' | b'-' if place == end && digits.len() >= 4 && *separator.get_or_insert(byte) == byte => {}
            _ => break,
        }
    }
    Some((digits, groups, end))
}

fn is_issued(digits: &[u32]) -> bool {
    ISSUED.iter().any(|(first, last, length, lengths)| {
        let begin = digits.iter().take(*length).fold(0, |number, digit| number * 10 + digit);
        (*first..=*last).contains(&begin) && lengths.contains(&digits.len())
    })
}

fn passes(digits: &[u32]) -> bool {
    let weigh = |(place, digit): (usize, &u32)| match place % 2 {
        0 => *digit,
        _ => digit * 2 / 10 + digit * 2 % 10,
    };
    let sum: u32 = digits.iter().rev().enumerate().map(weigh).sum();
    sum.is_multiple_of(10)
}
