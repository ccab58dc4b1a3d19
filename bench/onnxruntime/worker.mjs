// Runs an ONNX file with ONNX Runtime: node worker.mjs MODEL.onnx THREADS [PROFILE]
//
// Each line on standard input is {"case": DIR, "runs": N}; the answer, a line too, is {"ms": [N times]} after one run that
// is not timed, whose logits go to DIR/logits.f32. DIR holds shape.json and the inputs' bytes.
import { readFileSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import ort from 'onnxruntime-node'

const [model, threads, profile] = process.argv.slice(2)
const session = await ort.InferenceSession.create(model, {
  graphOptimizationLevel: 'all',
  executionMode: 'sequential',
  executionProviders: ['cpu'],
  intraOpNumThreads: Number(threads),
  interOpNumThreads: 1,
  ...(profile && { enableProfiling: true, profileFilePrefix: profile }),
})
const read = (dir, name, array) => {
  const bytes = readFileSync(`${dir}/${name}`)
  return new array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
const cases = new Map()
const inputs = (dir) => {
  if (!cases.has(dir)) {
    const { batch, tokens, regions } = JSON.parse(readFileSync(`${dir}/shape.json`))
    const ids = read(dir, 'ids.i64', BigInt64Array)
    const feeds = {
      input_ids: new ort.Tensor('int64', ids, [batch, tokens]),
      token_type_ids: new ort.Tensor('int64', new BigInt64Array(ids.length), [batch, tokens]),
      visual_feats: new ort.Tensor('float32', read(dir, 'feats.f32', Float32Array), [batch, regions, 2048]),
      visual_pos: new ort.Tensor('float32', read(dir, 'boxes.f32', Float32Array), [batch, regions, 4]),
    }
    if (session.inputNames.includes('attention_mask')) {
      feeds.attention_mask = new ort.Tensor('int64', ids.map((id) => (id ? 1n : 0n)), [batch, tokens])
    }
    cases.set(dir, feeds)
  }
  return cases.get(dir)
}
console.log(JSON.stringify({ version: ort.env.versions.node }))
for await (const line of createInterface({ input: process.stdin })) {
  const { case: dir, runs } = JSON.parse(line)
  const feeds = inputs(dir)
  const out = await session.run(feeds)
  const logits = out[session.outputNames[0]].data
  writeFileSync(`${dir}/logits.f32`, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength))
  const ms = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    await session.run(feeds)
    ms.push(performance.now() - start)
  }
  console.log(JSON.stringify({ ms }))
}
if (profile) session.endProfiling()
