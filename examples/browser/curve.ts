/** Draws the loss by step. @param total steps that are planned */

export function drawCurve(canvas: HTMLCanvasElement, losses: readonly number[], total: number): void {
  // The axis grows with the run: a long one that was just begun is not a dot in a corner.
  const steps = Math.min(total, Math.max(50, Math.ceil(1.25 * losses.length)));
  const scale = globalThis.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = width * scale;
  canvas.height = height * scale;
  const draw = canvas.getContext('2d')!;
  draw.scale(scale, scale);
  draw.clearRect(0, 0, width, height);
  const styles = getComputedStyle(canvas);
  const [left, top, right, bottom] = [44, 12, width - 12, height - 26];
  const highest = Math.max(1, Math.ceil(Math.max(...losses, 1)));
  const x = (step: number): number => left + ((right - left) * step) / Math.max(1, steps);
  const y = (loss: number): number => bottom - ((bottom - top) * loss) / highest;
  draw.font = '12px system-ui, sans-serif';
  draw.strokeStyle = styles.getPropertyValue('--line');
  draw.fillStyle = styles.getPropertyValue('--soft');
  draw.textAlign = 'right';
  for (let loss = 0; loss <= highest; loss += Math.max(1, Math.round(highest / 5))) {
    draw.beginPath();
    draw.moveTo(left, y(loss));
    draw.lineTo(right, y(loss));
    draw.stroke();
    draw.fillText(String(loss), left - 8, y(loss) + 4);
  }
  draw.textAlign = 'center';
  for (const step of [0, Math.round(steps / 2), steps])
    draw.fillText(String(step), Math.min(x(step), right - 8), bottom + 18);
  draw.strokeStyle = styles.getPropertyValue('--accent');
  draw.lineWidth = 2;
  draw.beginPath();
  losses.forEach((loss, i) => (i === 0 ? draw.moveTo(x(1), y(loss)) : draw.lineTo(x(i + 1), y(loss))));
  draw.stroke();
}
