//! Verdicts stay apart for whoever does not see red, green or blue.
//!
//! Sight is simulated with the matrices of Machado, Oliveira and Fernandes, "A Physiologically-based Model for
//! Simulation of Color Vision Deficiency" (IEEE TVCG 15, 2009), severity 1, on channels that are linear in light.
//! Distance is CIE 1976 ΔE in L*a*b*, of which 2.3 is the least that is noticed.

use super::contrast::linear;
use super::*;

const SIGHTS: [(&str, [[f64; 3]; 3]); 4] = [
    ("common", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    (
        "protanopia",
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    ),
    (
        "deuteranopia",
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ),
    (
        "tritanopia",
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ),
];

const VERDICTS: [Role; 7] =
    [Role::InSync, Role::Drifted, Role::Pending, Role::Diverged, Role::Differs, Role::GitOnly, Role::Unknown];

/// Far more than what is noticed, since two words in a list are not side by side.
const APART: f64 = 18.0;

fn product(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|row: usize| matrix[row].iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// L*a*b* under D65, as this sight has it.
fn lab(colour: Color, sight: &[[f64; 3]; 3]) -> [f64; 3] {
    const XYZ: [[f64; 3]; 3] = [
        [0.412_456_4 / 0.950_47, 0.357_576_1 / 0.950_47, 0.180_437_5 / 0.950_47],
        [0.212_672_9, 0.715_152_2, 0.072_175_0],
        [0.019_333_9 / 1.088_83, 0.119_192_0 / 1.088_83, 0.950_304_1 / 1.088_83],
    ];
    let seen = product(sight, linear(colour)).map(|part| part.clamp(0.0, 1.0));
    let [x, y, z] = product(&XYZ, seen)
        .map(|part| if part > 216.0 / 24389.0 { part.cbrt() } else { (24389.0 / 27.0 * part + 16.0) / 116.0 });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(one: Color, other: Color, sight: &[[f64; 3]; 3]) -> f64 {
    let (a, b) = (lab(one, sight), lab(other, sight));
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

/// Pairs of verdicts that are near each other.
fn near(name: &str, depth: Depth) -> Vec<String> {
    let theme = Theme::embedded(name).unwrap().at(depth);
    let mut near = Vec::new();
    for (sight, matrix) in &SIGHTS {
        for (index, one) in VERDICTS.iter().enumerate() {
            for other in &VERDICTS[index + 1..] {
                let apart = distance(theme.style(*one).fg.unwrap(), theme.style(*other).fg.unwrap(), matrix);
                if apart < APART {
                    near.push(format!("{sight} {depth:?}: {} and {}: {apart:.1}", one.name(), other.name()));
                }
            }
        }
    }
    near
}

#[test]
fn verdicts_stay_apart_however_colours_are_seen() {
    for name in ["plumb-colour-blind", "plumb-colour-blind-light"] {
        assert_eq!(near(name, Depth::Rgb), Vec::<String>::new(), "{name}");
    }
    assert_ne!(near("plumb-dark", Depth::Rgb), Vec::<String>::new(), "this test can tell");
}

#[test]
fn the_simulation_is_that_of_its_source() {
    // Red and green of equal lightness are one colour without the pigment between them.
    let (red, green) = (Color::Rgb(0xb0, 0x6a, 0x00), Color::Rgb(0x7d, 0x7d, 0x00));
    let seen = |index: usize| distance(red, green, &SIGHTS[index].1);
    assert!(seen(0) > 25.0 && seen(2) < 10.0, "{} {}", seen(0), seen(2));
}
