// What a person may do with a job or an import: which of it makes sense, what is asked first, and the request.
import {h} from './dom.js';
import {ask, say, sayProblem} from './dialogs.js';
import {count, counted} from './format.js';

const busy = job => job.running && !job.paused;
const undecided = job => job.unknown + job.duplicate_unknown;

const commands = [
  {
    name: 'pause', label: 'Pause', begun: 'is being paused',
    makes_sense: job => !job.paused && ['running', 'parked', 'planning'].includes(job.state),
    title: job => `Pause job ${job.job}?`,
    points: () => ['Nothing more of it is sent until somebody resumes it, over restarts of the service too.', 'Requests that are under way are awaited.', 'Younger jobs go on.'],
  },
  {
    name: 'resume', label: 'Resume', begun: 'goes on in its turn',
    makes_sense: job => job.paused || (job.state === 'failed' || job.state === 'parked') && !busy(job),
    title: job => (job.paused ? `Resume job ${job.job}?` : `Try job ${job.job} again now?`),
    points: job => [job.paused ? `Its ${counted(job.pending, 'pending row')} will be sent when its turn comes.` : 'It is tried again at once, without waiting for its time.',
      'Nothing is sent twice.'],
  },
  {
    name: 'retry', label: 'Retry', begun: 'is being retried',
    makes_sense: job => !busy(job) && job.failed + job.duplicate_failed + undecided(job) > 0,
    title: job => `Retry job ${job.job}?`,
    points: job => [`Sends ${counted(job.failed + job.duplicate_failed, 'failed row')} again.`,
      undecided(job) > 0 && `Looks ${counted(undecided(job), 'unknown row')} up, and sends only those that have no task in Apollo.`,
      'Mend first what they failed for: else they fail once more, and requests are spent.'].filter(Boolean),
  },
  {
    name: 'verify', label: 'Verify', begun: 'is being verified',
    makes_sense: job => !busy(job) && undecided(job) > 0,
    title: job => `Verify job ${job.job}?`,
    points: job => [`Looks ${counted(undecided(job), 'unknown row')} up in Apollo and settles what can be settled.`, 'Creates nothing.'],
  },
  {
    name: 'retry-unknown', label: 'Retry unknown', danger: true, begun: 'is being retried, unknown rows included',
    makes_sense: job => !busy(job) && undecided(job) > 0,
    title: job => `Send unknown rows of job ${job.job} again?`,
    points: job => [`Sends ${counted(job.failed + job.duplicate_failed, 'failed row')} again, and those of ${counted(undecided(job), 'unknown row')} that a look-up cannot decide.`,
      'Such a row may have its task already. Then the contact has it twice, and Apollo cannot delete it.', 'Try Verify first.'],
    agree: 'I know that tasks may be there twice.',
  },
  {
    name: 'cancel', label: 'Cancel', danger: true, begun: 'is being cancelled',
    makes_sense: job => job.state !== 'completed' && job.pending > 0,
    title: job => `Cancel job ${job.job}?`,
    points: job => [`${counted(job.pending, 'pending row')} will not be sent. They become failed, with the code cancelled.`,
      `${counted(job.created, 'task')} that ${job.created === 1 ? 'was' : 'were'} created stay in Apollo.`, 'Requests that are under way are awaited.', 'Retry sends the rows after all.'],
  },
];

/** The commands that make sense for the job as it is. */
const sensible = job => (job.pruned_at ? [] : commands.filter(one => one.makes_sense(job)));

/** Asks, then commands. The answer may take as long as the run: it is told when it comes. */
async function steer(api, one, job) {
  const wanted = await ask({title: one.title(job), points: one.points(job), action: one.label, danger: one.danger, agree: one.agree});
  if (!wanted) return;
  say(`Job ${job.job} ${one.begun}.`);
  try {
    const after = await api.post(`/v1/jobs/${job.job}/${one.name}`);
    if (['retry', 'verify', 'retry-unknown'].includes(one.name)) {
      say(`${one.label} of job ${job.job} has ended: ${count(after.created)} created, ${count(after.failed)} failed, ${count(after.unknown)} unknown.`);
    }
    return after;
  } catch (error) {
    sayProblem(error);
  }
}

/** Buttons for a job, in `place`; made again only when other ones make sense. Which job it is now says `current()`. */
export function commandButtons(api, current, done, only = null) {
  const area = h('div', {class: 'actions'});
  const parts = commands.filter(one => !only || only.includes(one.name)).map(one => ({
    one,
    node: h('button', {type: 'button', class: one.danger ? 'button danger' : 'button', hidden: true, on: {async click() {
      await steer(api, one, current());
      done();
    }}}, one.label),
  }));
  area.append(...parts.map(p => p.node));
  return {
    node: area,
    update(job, may) {
      const wanted = may ? sensible(job) : [];
      for (const p of parts) {
        p.node.hidden = !wanted.includes(p.one);
        if (p.one.name === 'resume') p.node.textContent = job.paused ? 'Resume' : 'Try now';
        p.node.setAttribute('aria-label', `${p.node.textContent} job ${job.job}`);
      }
    },
  };
}

/** A link that downloads, with a ticket where one is needed. */
export function downloadLink(api, text, path, parameters = {}, name = text) {
  return h('button', {type: 'button', class: 'button slim', 'aria-label': name, on: {async click() {
    try {
      await api.download(path, parameters);
    } catch (error) {
      sayProblem(error);
    }
  }}}, text);
}

export async function retryImport(api, one) {
  if (!await ask({title: `Read ${one.name} again?`, points: ['It moves from failed/ back to work, and is read with the settings that hold now.',
    'Mend first what it failed for: the settings of the service, or settings.toml in its folder.', 'If it can be read, its rows are sent.'], action: 'Read again'})) return;
  try {
    await api.post(`/v1/imports/${one.import}/retry`);
    say(`${one.name} is read again.`);
  } catch (error) {
    sayProblem(error);
  }
}

export async function discardImport(api, one) {
  if (!await ask({title: `Discard ${one.name}?`, points: ['The uploaded file is removed from the service. Nothing of it was sent.', 'Your own copy stays where it is.'], action: 'Discard', danger: true})) return false;
  try {
    await api.delete(`/v1/imports/${one.import}`);
    say(`${one.name} is discarded.`);
    return true;
  } catch (error) {
    sayProblem(error);
    return false;
  }
}
