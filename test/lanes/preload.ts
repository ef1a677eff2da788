// Loaded before everything else, in each test file and in each process that a test starts.
import { defaults } from "../../src/Server/Defaults.ts"
import { lane, socketListener } from "./combination.ts"

defaults.compile = lane === "compiled"
defaults.listener = socketListener
