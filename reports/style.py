"""How the summary page looks, light and dark, wide and narrow, and the little that it does when scripts may run."""

from reports.svg import STYLE as PICTURES

CSS = (
    """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#60646c;--page:#fcfcfd;--panel:#fff;--line:#d9d9e0;--link:#0b5cad;
--held:#18794e;--heldbg:#e6f6eb;--broken:#b4232a;--brokenbg:#feebec;--unknown:#8a5a00;--unknownbg:#fff7d6;
--differs:#6b3fa0;--differsbg:#f5ecff;--observed:#0b5cad;--observedbg:#e6f0fb;--bug:#9a4a00;--bugbg:#ffefd9;--skipped:#60646c;
--skippedbg:#f0f0f3;--read:#3451b2;--band:#f5d90a33;
--bandline:#b8860b}
@media(prefers-color-scheme:dark){:root{--ink:#edeef0;--soft:#b0b4ba;--page:#111113;--panel:#18191b;--line:#43484e;
--link:#70b8ff;--held:#3dd68c;--heldbg:#132d21;--broken:#ff9592;--brokenbg:#3b1219;--unknown:#ffca16;
--unknownbg:#302008;
--differs:#d6b4ff;--differsbg:#2b1b40;--observed:#70b8ff;--observedbg:#10243a;--bug:#ffb266;--bugbg:#33200f;--skipped:#b0b4ba;
--skippedbg:#212225;--read:#9eb1ff;--band:#f5d90a22;
--bandline:#d6b23a}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main,body>header,body>footer{max-width:76rem;margin:0 auto;padding:0 1.25rem}
body>header{padding-top:1.5rem}
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem} h2{font-size:1.3rem;margin:2.5rem 0 .5rem}
h3{font-size:1.05rem;margin:1.5rem 0 .4rem} h4{font-size:.95rem;margin:1.1rem 0 .3rem}
p{margin:.4rem 0;max-width:50rem} a{color:var(--link)} .soft,figcaption{color:var(--soft);font-size:.875rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:1rem 0;padding:.5rem 0;border-block:1px solid var(--line)}
.badge{display:inline-block;white-space:nowrap;border-radius:.4rem;padding:.05rem .5rem;font-size:.875rem;
font-weight:600;
border:1px solid currentColor}
.held{color:var(--held);background:var(--heldbg)} .broken{color:var(--broken);background:var(--brokenbg)}
.unknown{color:var(--unknown);background:var(--unknownbg)} .differs{color:var(--differs);background:var(--differsbg)}
.known-bug{color:var(--bug);background:var(--bugbg)}
.observed{color:var(--observed);background:var(--observedbg)}
.skipped{color:var(--skipped);background:var(--skippedbg);font-weight:400}
.counts{display:flex;flex-wrap:wrap;gap:.5rem;list-style:none;padding:0;margin:.8rem 0}
.counts .badge{font-size:1rem;padding:.2rem .7rem}
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem;background:var(--panel);border:1px solid var(--line)}
th,td{text-align:left;vertical-align:top;padding:.5rem .7rem;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{font-size:.8rem;color:var(--soft);font-weight:600}
table.promises{table-layout:fixed} table.promises th:first-child{width:40%}
table.promises.one th:first-child{width:60%}
table.promises th:last-child{width:12.5rem} .attention{list-style:none;padding:0} .attention li{margin:.5rem 0}
.attention a{overflow-wrap:anywhere}
td .badge{margin:0 .3rem .15rem 0} table.promises td:nth-child(n+2){white-space:normal}
.claims a{color:inherit;text-decoration-style:dotted} .number{white-space:nowrap;font-variant-numeric:tabular-nums}
details>summary{cursor:pointer} details.check{border:1px solid var(--line);border-radius:.5rem;margin:.4rem 0;
background:var(--panel)}
details.check>summary{padding:.5rem .8rem;display:flex;flex-wrap:wrap;gap:.2rem .8rem;align-items:baseline}
details.check>summary:hover,details.check>summary:focus-visible{background:var(--skippedbg)}
details.check[open]>summary{border-bottom:1px solid var(--line)} .inside{padding:.4rem 1rem 1rem}
details.file{margin:.6rem 0} details.file>summary{padding:.3rem 0} details.file[open]{border-left:3px solid var(--line);
padding-left:.7rem} table.differences td:first-child{min-width:14rem}
.name{font-weight:600;overflow-wrap:anywhere} .limits{margin:.2rem 0 0}
pre{overflow-x:auto;background:var(--page);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem;
margin:.4rem 0;
font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;max-height:28rem}
pre.command{white-space:pre-wrap;overflow-wrap:anywhere;position:relative;padding-right:4.5rem}
pre.command button{position:absolute;top:.35rem;right:.35rem;font:inherit;font-size:12px;padding:.1rem .5rem}
.witness{border-left:4px solid var(--broken);padding-left:.8rem;margin:.8rem 0}
.happened{font-weight:600} figure{margin:.8rem 0} .wide{overflow-x:auto} .wide svg{max-width:none;display:block}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:.5rem 0} dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.tools{display:none;gap:.5rem;flex-wrap:wrap;align-items:center;margin:.5rem 0}
.tools input{font:inherit;padding:.3rem .6rem;min-width:14rem;border:1px solid var(--line);border-radius:.4rem;
background:var(--panel);color:inherit}
.scripted .tools{display:flex} footer{margin-top:3rem!important;padding-bottom:2rem!important}
@media(max-width:44rem){
body{font-size:15px} main,body>header,body>footer{padding:0 .8rem} h1{font-size:1.35rem}
table,tbody,tr,td{display:block;width:auto} thead{position:absolute;left:-999rem} table{border:0;background:none}
tr{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;padding:.4rem .7rem;background:var(--panel)}
td,table.differences td:first-child{min-width:0}
td{border:0;padding:.25rem 0;width:auto}
td:not(:first-child)::before{content:attr(data-label);display:inline-block;min-width:6.5rem;font-size:.8rem;
color:var(--soft)} td .number{display:inline-block;margin-right:.8rem}
td:empty{display:none}
dl{grid-template-columns:1fr;gap:0} dd{margin-bottom:.4rem} .inside{padding:.4rem .7rem .8rem}}
@media print{nav,.tools{display:none!important}}
"""
    + PICTURES
)

SCRIPT = """
(function(){
var root=document.documentElement;root.classList.add('scripted');
function open(){var id=decodeURIComponent(location.hash.slice(1)),at=id&&document.getElementById(id);
if(!at)return;for(var up=at;up;up=up.parentElement)if(up.tagName==='DETAILS')up.open=true;at.scrollIntoView();}
addEventListener('hashchange',open);open();
var box=document.getElementById('filter'),left=document.getElementById('left');
if(box)box.addEventListener('input',function(){
var words=box.value.toLowerCase().split(/\\s+/).filter(Boolean),shown=0;
document.querySelectorAll('details.check').forEach(function(check){
var said=check.dataset.words,fits=words.every(function(word){return said.indexOf(word)>=0;});
check.hidden=!fits;if(fits)shown++;});
document.querySelectorAll('details.file').forEach(function(file){
file.hidden=!file.querySelector('details.check:not([hidden])');file.open=words.length>0&&!file.hidden;});
left.textContent=words.length?shown.toLocaleString('en')+' shown':'';});
if(navigator.clipboard)document.querySelectorAll('pre.command').forEach(function(pre){
var button=document.createElement('button');button.type='button';button.textContent='Copy';
button.addEventListener('click',function(){navigator.clipboard.writeText(pre.querySelector('code').textContent).then(
function(){button.textContent='Copied';setTimeout(function(){button.textContent='Copy';},1500);});});
pre.appendChild(button);});
})();
"""
