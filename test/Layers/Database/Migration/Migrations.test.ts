import { all, onEach } from "../backends.ts"
import { migrationConformance } from "./migrations.ts"

onEach(all, "Migrations", migrationConformance)
