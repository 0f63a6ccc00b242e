/** What the commands, words and signs of mathematics mean to the reader: data only. */

/** Functions with a meaning, by every name that they go by. */
const functionNames: Readonly<Record<string, readonly string[]>> = {
  sin: [], cos: [], tan: ['tg'], cot: ['ctg', 'cotg'], sec: [], csc: ['cosec'],
  arcsin: ['asin'], arccos: ['acos'], arctan: ['atan', 'arctg'], arccot: ['acot', 'arcctg'], arcsec: ['asec'], arccsc: ['acsc'],
  sinh: ['sh'], cosh: ['ch'], tanh: ['th'], coth: [], sech: [], csch: [],
  arcsinh: ['asinh', 'arsinh'], arccosh: ['acosh', 'arcosh'], arctanh: ['atanh', 'artanh'],
  ln: [], log: [], lg: [], exp: [],
  sqrt: [], cbrt: [], abs: ['Abs'], sign: ['sgn', 'sign'],
  floor: [], ceil: ['ceiling'], round: [],
  gcd: ['GCD'], lcm: ['LCM'], max: ['Max'], min: ['Min'],
  Re: ['real'], Im: ['imag'], arg: [], conjugate: [], det: [], trace: ['tr'], factorial: [], binomial: ['binom'], Gamma: [],
};

/** One letter more or less would make these ordinary products, so they count only as commands, never in plain text. */
const commandOnly = new Set(['sh', 'ch', 'th', 'tr', 'tg', 'lg', 'arg', 'Re', 'Im', 'sign', 'real', 'imag', 'Gamma', 'th']);

export const functions: ReadonlyMap<string, string> = new Map(
  Object.entries(functionNames).flatMap(([name, others]) => [name, ...others].map(other => [other, name] as const)),
);
export const plainFunctions: ReadonlyMap<string, string> = new Map([...functions].filter(([name]) => !commandOnly.has(name)));

/** Functions whose argument may follow without parentheses. */
export const bareArgument: ReadonlySet<string> = new Set([
  'sin', 'cos', 'tan', 'cot', 'sec', 'csc', 'arcsin', 'arccos', 'arctan', 'arccot', 'arcsec', 'arccsc', 'sinh', 'cosh', 'tanh',
  'coth', 'sech', 'csch', 'arcsinh', 'arccosh', 'arctanh', 'ln', 'log', 'lg', 'exp', 'det', 'trace', 'Re', 'Im', 'arg', 'sign',
  'max', 'min', 'gcd', 'lcm', 'floor', 'ceil', 'sqrt', 'cbrt', 'abs', 'round', 'conjugate', 'factorial', 'binomial',
]);

export const inverses: Readonly<Record<string, string>> = {
  sin: 'arcsin', cos: 'arccos', tan: 'arctan', cot: 'arccot', sec: 'arcsec', csc: 'arccsc',
  sinh: 'arcsinh', cosh: 'arccosh', tanh: 'arctanh',
};

const greek =
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron rho varrho sigma varsigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar imath jmath nabla partial aleph square triangle Box star';
export const letters: ReadonlySet<string> = new Set(greek.split(' '));
/** Greek words as people type them without a backslash. */
export const plainLetters: ReadonlySet<string> = new Set(
  'alpha beta gamma delta epsilon theta lambda sigma omega phi rho tau'.split(' '),
);

/** Commands that stand for one sign. Signs are given below, in the shape that the parser knows. */
export const signCommands: Readonly<Record<string, string>> = {
  cdot: '*', times: '*', ast: '*', div: '/', slash: '/', pm: '±', mp: '∓',
  le: '≤', leq: '≤', leqslant: '≤', leqq: '≤', ge: '≥', geq: '≥', geqslant: '≥', geqq: '≥', lt: '<', gt: '>', ne: '≠', neq: '≠',
  approx: '≈', simeq: '≈', thickapprox: '≈', sim: '∼', cong: '≈', equiv: '≡', propto: '∼', doteq: '≈',
  in: '∈', notin: '∉', ni: '∋', subset: '⊂', subseteq: '⊆', supset: '⊃', supseteq: '⊇', subsetneq: '⊂',
  cup: '∪', bigcup: '∪', cap: '∩', bigcap: '∩', setminus: '∖', backslash: '∖', smallsetminus: '∖',
  to: '→', rightarrow: '→', Rightarrow: '→', longrightarrow: '→', Longrightarrow: '→', implies: '→', mapsto: '→', longmapsto: '→',
  leftarrow: '→', Leftarrow: '→', iff: '≡', Leftrightarrow: '≡', leftrightarrow: '≡', perp: '⊥', parallel: '∥',
  land: '∧', wedge: '∧', lor: '∨', vee: '∨',
  infty: '∞', infinity: '∞', emptyset: '∅', varnothing: '∅', circ: '°', degree: '°', prime: "'", percent: '%',
  colon: ':', mid: '|', vert: '|', lvert: '⎸', rvert: '⎹', Vert: '‖', lVert: '‖', rVert: '‖',
  lfloor: '⌊', rfloor: '⌋', lceil: '⌈', rceil: '⌉', llcorner: '⌊', lrcorner: '⌋', ulcorner: '⌈', urcorner: '⌉',
  langle: '⟨', rangle: '⟩', lgroup: '(', rgroup: ')', lparen: '(', rparen: ')', lbrack: '[', rbrack: ']', lbrace: '⦃', rbrace: '⦄',
  ldots: '…', cdots: '…', dots: '…', dotsc: '…', dotsb: '…', vdots: '…', ddots: '…',
  mod: 'mod', bmod: 'mod', pmod: 'pmod', pi: 'π', exponentialE: 'e', imaginaryI: 'i', imaginaryJ: 'i', And: 'and', Or: 'or',
  forall: '∀', exists: '∃', bullet: '*', therefore: '→',
};

/** Commands that only place or shape what follows. */
export const silentCommands: ReadonlySet<string> = new Set(
  'angle measuredangle quad qquad displaystyle textstyle scriptstyle limits nolimits hline thinspace medspace thickspace negthinspace enspace hfill par noindent bigl bigr Bigl Bigr biggl biggr Biggl Biggr big Big bigg Bigg bigm Bigm nonumber notag allowbreak n rm bf it sf cal centering space cline newline'.split(
    ' ',
  ),
);

export const textCommands: ReadonlySet<string> = new Set(
  'text textbf textit textrm textsf texttt textnormal textup mbox hbox mathrm mathbf mathit mathsf operatorname mathop boldsymbol bm pmb bold mathcal mathscr mathfrak mathbb emph underline textcolor'.split(
    ' ',
  ),
);

export const accents: Readonly<Record<string, string>> = {
  overline: 'bar', bar: 'bar', overrightarrow: '', vec: '', hat: 'hat', widehat: 'hat', tilde: 'tilde', widetilde: 'tilde',
  dot: 'dot', ddot: 'ddot', underline: '', overset: '', mathring: 'ring',
};

/** Where a command is not known, the longest known one that it begins with is meant: `\lvertx`, `\quadx`. */
export const splittable: readonly string[] = [
  'left', 'right', 'mleft', 'mright', 'lvert', 'rvert', 'vert', 'lgroup', 'rgroup', 'lbrace', 'rbrace', 'lbrack', 'rbrack', 'lfloor', 'rfloor', 'lceil',
  'rceil', 'llcorner', 'lrcorner', 'ulcorner', 'urcorner', 'quad', 'qquad', 'cdot', 'times', 'pi', 'ldots', 'infty', 'pm', 'div',
  'leq', 'geq', 'neq', 'displaystyle', 'langle', 'rangle', 'theta', 'alpha', 'beta', 'ln', 'log', 'sin', 'cos', 'tan', 'frac', 'sqrt',
].sort((a, b) => b.length - a.length);

/** Signs beyond ASCII, and those that are typed in other ways. */
export const signs: Readonly<Record<string, string>> = {
  '×': '*', '·': '*', '⋅': '*', '∙': '*', '∗': '*', '•': '*', '÷': '/', '∕': '/', '⁄': '/', '−': '-', '–': '-', '—': '-', '－': '-', '＋': '+', '＝': '=',
  '≤': '≤', '≦': '≤', '⩽': '≤', '≥': '≥', '≧': '≥', '⩾': '≥', '≠': '≠', '≈': '≈', '≃': '≈', '≅': '≈', '∼': '∼', '≡': '≡', '±': '±', '∓': '∓', '＜': '<', '＞': '>',
  '∈': '∈', '∉': '∉', '⊂': '⊂', '⊆': '⊆', '⊃': '⊃', '⊇': '⊇', '∪': '∪', '⋃': '∪', '∩': '∩', '⋂': '∩', '∖': '∖', '→': '→', '⇒': '→', '⟹': '→', '⟶': '→', '⇔': '≡',
  '∞': '∞', '∅': '∅', '°': '°', 'º': '°', '˚': '°', '′': "'", '’': "'", '％': '%', '：': ':', '∶': ':', '，': ',', '、': ',', '；': ';', '（': '(', '）': ')', '［': '[',
  '］': ']', '｛': '⦃', '｝': '⦄', '⟨': '⟨', '⟩': '⟩', '〈': '⟨', '〉': '⟩', '⌊': '⌊', '⌋': '⌋', '⌈': '⌈', '⌉': '⌉', '∣': '|', '｜': '|', '‖': '‖', '∥': '∥', '…': '…', '⋯': '…',
  '√': '√', '∛': '∛', π: 'π', '𝜋': 'π', '∑': '∑', '∏': '∏', '∫': '∫', '∧': '∧', '∨': '∨', ℕ: 'ℕ', ℤ: 'ℤ', ℚ: 'ℚ', ℝ: 'ℝ', ℂ: 'ℂ', '⊥': '⊥', '∀': '∀', '∃': '∃', '¬': '¬',
};

export const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
export const subscripts = '₀₁₂₃₄₅₆₇₈₉';
export const fractions: Readonly<Record<string, readonly [number, number]>> = {
  '½': [1, 2], '⅓': [1, 3], '⅔': [2, 3], '¼': [1, 4], '¾': [3, 4], '⅕': [1, 5], '⅖': [2, 5], '⅗': [3, 5], '⅘': [4, 5], '⅙': [1, 6],
  '⅚': [5, 6], '⅛': [1, 8], '⅜': [3, 8], '⅝': [5, 8], '⅞': [7, 8],
};

export const greekLetters: Readonly<Record<string, string>> = {
  α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', ε: 'epsilon', ζ: 'zeta', η: 'eta', θ: 'theta', ι: 'iota', κ: 'kappa', λ: 'lambda', μ: 'mu', µ: 'mu', ν: 'nu',
  ξ: 'xi', ρ: 'rho', σ: 'sigma', τ: 'tau', υ: 'upsilon', φ: 'phi', ϕ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega', Γ: 'Gamma', Δ: 'Delta', Θ: 'Theta', Λ: 'Lambda', Σ: 'Sigma',
  Φ: 'Phi', Ψ: 'Psi', Ω: 'Omega',
};
