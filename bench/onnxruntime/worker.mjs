// Runs an ONNX file with ONNX Runtime: node worker.mjs MODEL.onnx THREADS [PROFILE]
//
// Each line on standard input is {"case": DIR, "runs": N}; the answer, a line too, is {"ms": [N times], "outputs": {NAME: {type,
// dims}}} after one run that is not timed, whose outputs go to DIR/NAME.out. DIR/inputs.json holds {NAME: {type, dims}}, and
// DIR/NAME.in the bytes.
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
const arrays = { int64: BigInt64Array, float32: Float32Array }
const read = (file, { type, dims }) => {
  const bytes = readFileSync(file)
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  return new ort.Tensor(type, new arrays[type](buffer), dims)
}
const cases = new Map()
const inputs = (dir) => {
  if (!cases.has(dir)) {
    const given = Object.entries(JSON.parse(readFileSync(`${dir}/inputs.json`)))
    const wanted = given.filter(([name]) => session.inputNames.includes(name))
    cases.set(dir, Object.fromEntries(wanted.map(([name, shape]) => [name, read(`${dir}/${name}.in`, shape)])))
  }
  return cases.get(dir)
}
console.log(JSON.stringify({ version: ort.env.versions.node }))
for await (const line of createInterface({ input: process.stdin })) {
  const { case: dir, runs } = JSON.parse(line)
  const feeds = inputs(dir)
  const outputs = {}
  for (const [name, { type, dims, data }] of Object.entries(await session.run(feeds))) {
    outputs[name] = { type, dims }
    writeFileSync(`${dir}/${name}.out`, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  const ms = []
  for (let i = 0; i < runs; i++) {
    const start = performance.now()
    await session.run(feeds)
    ms.push(performance.now() - start)
  }
  console.log(JSON.stringify({ ms, outputs }))
}
if (profile) session.endProfiling()
