/** The page of a report: its style, and the script that draws it from the data in it. */

const style = `
:root{color-scheme:light dark;--bg:#fbfbfa;--card:#fff;--ink:#1c1d1f;--soft:#6a6f76;--line:#e3e4e6;--good:#1f8a4c;--bad:#c23b3b;--odd:#a06a00;--none:#8a8f96;--accent:#2b62c4}
@media(prefers-color-scheme:dark){:root{--bg:#131416;--card:#1b1d20;--ink:#e8e9ea;--soft:#9aa0a7;--line:#2d3035;--good:#4cc27f;--bad:#ef7b7b;--odd:#e0ac4a;--none:#7d838b;--accent:#7da6f5}}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:28px 20px 80px}h1{font-size:24px;margin:0 0 2px}h2{font-size:16px;margin:32px 0 10px}
.sig{font:12px/1.5 ui-monospace,monospace;color:var(--soft);overflow-wrap:anywhere;margin:0 0 18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px}.tile{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}
.tile b{display:block;font-size:24px;font-variant-numeric:tabular-nums}.tile span{color:var(--soft);font-size:12.5px}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:14px}.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:14px}
svg{display:block;width:100%;height:auto}svg text{fill:var(--soft);font:11px system-ui,sans-serif}
table{border-collapse:collapse;width:100%;font-size:13.5px}td,th{padding:3px 8px 3px 0;text-align:left}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{height:8px;border-radius:4px;background:var(--line);min-width:80px}.bar i{display:block;height:8px;border-radius:4px;background:var(--accent)}
.tools{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 10px}.tools input,.tools select{font:inherit;padding:6px 10px;border:1px solid var(--line);border-radius:8px;background:var(--card);color:var(--ink)}.tools input{flex:1;min-width:180px}
details.p{background:var(--card);border:1px solid var(--line);border-radius:10px;margin:0 0 8px}details.p>summary{cursor:pointer;list-style:none;display:flex;gap:12px;align-items:center;padding:9px 14px}
details.p>summary::-webkit-details-marker{display:none}summary .q{flex:1;min-width:0;white-space:nowrap;overflow:hidden;text-overflow:ellipsis}summary .id{color:var(--soft);font-size:12px;max-width:160px;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.cells{display:flex;gap:3px;flex-wrap:wrap;max-width:260px;justify-content:flex-end}.cells i{width:12px;height:12px;border-radius:3px}
.correct{background:var(--good)}.incorrect{background:var(--bad)}.undecided{background:var(--odd)}.unparsed{background:var(--none)}
.body{border-top:1px solid var(--line);padding:12px 14px}.math{white-space:pre-wrap;overflow-wrap:anywhere}.gold{margin:8px 0 12px}
code{font:13px ui-monospace,monospace;background:var(--bg);border:1px solid var(--line);border-radius:5px;padding:1px 5px;overflow-wrap:anywhere}
.s{border-top:1px solid var(--line);padding:10px 0}.badge{color:#fff;border-radius:6px;font-size:12px;font-weight:600;padding:2px 8px;margin-right:8px}@media(prefers-color-scheme:dark){.badge{color:#111}}
.why{margin:6px 0}.rules{color:var(--soft);font-size:12.5px;margin:2px 0 6px}.rules li{margin:0}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg);border:1px solid var(--line);border-radius:8px;padding:10px;font:12.5px/1.5 ui-monospace,monospace;max-height:480px;overflow:auto}
.key{display:flex;gap:14px;flex-wrap:wrap;color:var(--soft);font-size:12.5px;margin:0 0 10px}.key i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:5px;vertical-align:-1px}button{font:inherit;padding:7px 14px;border:1px solid var(--line);border-radius:8px;background:var(--card);color:var(--ink);cursor:pointer}
`;

/** Runs in the page; plain JavaScript without a closing script tag in it. */
const script = `
const D=JSON.parse(document.getElementById('data').textContent),S=D.scores,$=(t,c,x)=>{const e=document.createElement(t);if(c)e.className=c;if(x!==undefined)e.textContent=x;return e};
const pc=x=>(100*x).toFixed(1),main=document.querySelector('main');
main.append($('h1','',D.name),$('p','sig',D.signature));
const tiles=$('div','tiles');main.append(tiles);
const tile=(n,v,more)=>{const t=$('div','tile');t.append($('span','',n),$('b','',v),$('span','',more||''));tiles.append(t)};
const band=e=>'95 %: '+pc(e.low)+' – '+pc(e.high);
tile('mean@'+S.samples,pc(S.mean.value),band(S.mean));
if(S.samples>1){const last=S.pass[S.pass.length-1];tile('pass@'+last.k,pc(last.value),band(last)+', bootstrap '+pc(last.bootstrap));tile('maj@'+S.samples,pc(S.majority.value),band(S.majority))}
tile('problems',String(S.problems),S.samples+' sample'+(S.samples===1?'':'s')+' each');
tile('no answer found or read',pc(S.unparsed)+' %',S.undecided?pc(S.undecided)+' % undecided':'none undecided');
if(S.truncated)tile('cut off',pc(S.truncated)+' %','by the limit of tokens');
if(S.parallelRatio)tile('parallel ratio',pc(S.parallelRatio)+' %','completions with a parallel block');
const two=$('div','two');
if(S.pass.length>1){const c=$('div','card');c.append($('h2','','pass@k'));c.firstChild.style.marginTop=0;c.insertAdjacentHTML('beforeend',curve(S.pass));two.append(c)}
if(S.groups.length){const names=[...new Set(S.groups.map(g=>g.name))];for(const name of names.slice(0,3)){const c=$('div','card'),t=$('table');c.append($('h2','','by '+name));c.firstChild.style.marginTop=0;
for(const g of S.groups.filter(g=>g.name===name).slice(0,14)){const r=$('tr');r.append($('td','',g.value));const b=$('td'),o=$('div','bar'),i=$('i');i.style.width=100*g.mean+'%';o.append(i);b.append(o);b.style.width='40%';r.append(b,$('td','n',pc(g.mean)),$('td','n',String(g.problems)));t.append(r)}c.append(t);two.append(c)}}
if(two.children.length){main.append($('h2','','Scores'),two)}
function curve(p){const W=440,H=190,L=34,B=24,T=8,R=10,x=i=>L+(p.length<2?0:i/(p.length-1)*(W-L-R)),y=v=>T+(1-v)*(H-T-B);let s='<svg viewBox="0 0 '+W+' '+H+'" role="img" aria-label="pass at k with intervals">';
for(const v of [0,.25,.5,.75,1])s+='<line x1="'+L+'" x2="'+(W-R)+'" y1="'+y(v)+'" y2="'+y(v)+'" stroke="var(--line)"/><text x="'+(L-6)+'" y="'+(y(v)+4)+'" text-anchor="end">'+100*v+'</text>';
s+='<path d="M'+p.map((e,i)=>x(i)+' '+y(e.high)).join('L')+'L'+[...p].reverse().map((e,i)=>x(p.length-1-i)+' '+y(e.low)).join('L')+'Z" fill="var(--accent)" opacity=".16"/>';
s+='<path d="M'+p.map((e,i)=>x(i)+' '+y(e.bootstrap)).join('L')+'" fill="none" stroke="var(--soft)" stroke-dasharray="4 4"/><path d="M'+p.map((e,i)=>x(i)+' '+y(e.value)).join('L')+'" fill="none" stroke="var(--accent)" stroke-width="2.5"/>';
p.forEach((e,i)=>{s+='<circle cx="'+x(i)+'" cy="'+y(e.value)+'" r="3.5" fill="var(--accent)"/><text x="'+x(i)+'" y="'+(H-6)+'" text-anchor="middle">'+e.k+'</text>'});
return s+'</svg><div class="key"><span>solid: unbiased, with its 95 % interval</span><span>dashed: bootstrap with replacement</span></div>'}
main.append($('h2','','Problems'));
const key=$('div','key');for(const v of ['correct','incorrect','undecided','unparsed']){const k=$('span');k.append($('i',v),v);key.append(k)}main.append(key);
const tools=$('div','tools'),find=$('input'),pick=$('select');find.placeholder='find in problems, answers and ids';find.type='search';
for(const [v,t] of [['all','all'],['wrong','never correct'],['mixed','sometimes correct'],['right','always correct'],['unparsed','with an answer that was not read'],['undecided','with an undecided one'],['tie','majority differs from the reference']]){const o=$('option','',t);o.value=v;pick.append(o)}
tools.append(find,pick);main.append(tools);const list=$('div'),more=$('button','','show more');main.append(list,more);
const right=p=>p.k.filter(s=>s.v==='correct').length,count=(p)=>{const m={};for(const s of p.k)if(s.vote!==null)m[s.vote]=(m[s.vote]||0)+1;return m};
const test={all:()=>true,wrong:p=>p.k.length&&right(p)===0,right:p=>p.k.length&&right(p)===p.k.length,mixed:p=>right(p)>0&&right(p)<p.k.length,unparsed:p=>p.k.some(s=>s.v==='unparsed'),undecided:p=>p.k.some(s=>s.v==='undecided'),
tie:p=>{const m=count(p),top=Object.keys(m).sort((a,b)=>m[b]-m[a])[0];return top!==undefined&&!p.k.some(s=>s.vote===top&&s.v==='correct')}};
let shown=0,found=[];
function draw(reset){if(reset){const q=find.value.toLowerCase();found=D.problems.filter(p=>test[pick.value](p)&&(!q||(p.id+' '+p.q+' '+p.gold+' '+p.k.map(s=>s.a).join(' ')).toLowerCase().includes(q)));list.textContent='';shown=0;if(!found.length)list.append($('p','','No problem is like that.'))}
for(const p of found.slice(shown,shown+=100)){const d=$('details','p'),s=$('summary'),c=$('span','cells');for(const k of p.k.slice(0,64))c.append($('i',k.v));s.append($('span','id',p.id),$('span','q',p.q),c);s.title=p.q.slice(0,300);d.append(s);d.addEventListener('toggle',()=>{if(d.open&&d.children.length===1)d.append(body(p))});list.append(d)}
more.hidden=shown>=found.length;more.textContent='show more ('+(found.length-shown)+' left)'}
function body(p){const b=$('div','body');b.append($('div','math',p.q));const g=$('div','gold','reference ');g.append($('code','',p.gold));b.append(g);
const m=count(p),votes=Object.keys(m).sort((x,y)=>m[y]-m[x]);if(p.k.length>1&&votes.length){const v=$('div','rules','votes: ');votes.slice(0,8).forEach(x=>{v.append($('code','',x),' × '+m[x]+'  ')});b.append(v)}
for(const s of p.k){const e=$('div','s'),h=$('div');h.append($('span','badge '+s.v,s.v),$('span','','sample '+s.n+(s.f==='length'?', cut off':'')+', '));if(s.a)h.append('answer ',$('code','',s.a),s.how?' (found: '+s.how+')':'');e.append(h,$('div','why',s.why));
if(s.r.length){const u=$('ul','rules');for(const r of s.r){const l=$('li');l.append($('code','',r),' '+(D.rules[r]||''));u.append(l)}e.append(u)}
if(s.c!==null)e.append($('div','rules','normal form '+s.c));
const o=$('details'),t=$('summary','','completion');o.append(t);o.addEventListener('toggle',()=>{if(o.open&&o.children.length===1)o.append($('pre','',s.t))});e.append(o);b.append(e)}return b}
find.addEventListener('input',()=>draw(true));pick.addEventListener('change',()=>draw(true));more.addEventListener('click',()=>draw(false));draw(true);
if(location.hash){const d=[...document.querySelectorAll('details.p')][Number(location.hash.slice(1))||0];if(d){d.open=true}}
`;

export const page = (title: string, json: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title><style>${style}</style></head>
<body><main></main><script type="application/json" id="data">${json}</script><script>${script}</script></body></html>
`;
