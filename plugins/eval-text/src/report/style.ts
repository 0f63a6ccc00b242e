/** How the report looks, by day and by night. Colours of systems: Okabe and Ito's, told apart by colour-blind readers too. */

export const reportStyle = `
:root { color-scheme: light dark; --ground: #fbfbfa; --paper: #fff; --ink: #1d2126; --muted: #8b929b; --line: #e3e5e8; --good: #00795c; --bad: #b3402a; --goodground: #dff3ec; --badground: #fbe6e1; --s0: #0072b2; --s1: #e69f00; --s2: #009e73; --s3: #cc79a7; --s4: #56b4e9; --s5: #d55e00; --s6: #8f7f00; --s7: #6b7280; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --paper: #1c2024; --ink: #e8eaed; --muted: #8d96a0; --line: #30363c; --good: #4cc9a4; --bad: #f08a73; --goodground: #12382e; --badground: #43211a; --s0: #4ea3d9; --s6: #d8c94a; --s7: #a3abb5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 22px; margin: 8px 0 4px; } h2 { font-size: 16px; margin: 36px 0 10px; }
.hint, .number .hint { color: var(--muted); font-size: 13px; font-weight: 400; }
.panel { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 14px 18px; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child > * { border-bottom: 0; } thead th { font-size: 13px; color: var(--muted); } tbody th { font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; } td.number strong { font-weight: 700; }
.bar { height: 4px; border-radius: 2px; background: var(--line); margin-top: 6px; position: relative; } .bar::after { content: ''; position: absolute; inset: 0 auto 0 0; width: var(--share); background: var(--own); border-radius: 2px; }
.mark { font-size: 13px; color: var(--muted); } .mark.better, .good { color: var(--good); } .mark.worse, .bad { color: var(--bad); }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 8px; }
#signatures code { display: block; font-size: 12px; color: var(--muted); overflow-wrap: anywhere; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 16px; align-items: end; position: sticky; top: 0; z-index: 1; background: var(--ground); padding: 12px 0; border-bottom: 1px solid var(--line); margin-bottom: 14px; }
.controls label { font-size: 12px; color: var(--muted); display: grid; gap: 3px; } .controls label.check { display: flex; gap: 6px; align-items: center; padding-bottom: 7px; }
select, input[type='search'], button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 7px; padding: 5px 9px; max-width: 240px; } input[type='search'] { width: 220px; }
button { cursor: pointer; } :focus-visible { outline: 2px solid var(--s0); outline-offset: 1px; }
.row { display: grid; grid-template-columns: 230px 1fr; gap: 14px; align-items: center; padding: 6px 0; } .row .name { overflow-wrap: anywhere; }
.chart svg { width: 100%; height: auto; display: block; } .chart text { font-size: 10px; fill: var(--muted); } .axis { stroke: var(--line); }
article { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 10px 16px 12px; margin-bottom: 12px; }
article header { display: flex; gap: 8px; align-items: baseline; margin-bottom: 6px; } .delta { margin-left: auto; font-variant-numeric: tabular-nums; }
.line { display: grid; grid-template-columns: 190px 1fr 64px; gap: 14px; padding: 4px 0; border-top: 1px solid var(--line); } .line .label { color: var(--muted); font-size: 13px; overflow-wrap: anywhere; padding-top: 1px; } .line .text { white-space: pre-wrap; overflow-wrap: anywhere; }
mark { color: inherit; border-radius: 3px; padding: 0 1px; } mark.extra { background: var(--badground); } mark.missing { background: var(--goodground); }
body.single .pair, body:not(.single) .lone { display: none; } #more { display: block; margin: 18px auto; }
@media (max-width: 720px) { .row, .line { grid-template-columns: 1fr; gap: 2px; } .line .number { text-align: left; } }
`;
