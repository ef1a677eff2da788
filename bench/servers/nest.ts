// Decorators are called as functions, so that the file runs without a compile step. What a
// compiler would write as metadata (design:paramtypes) is given by hand where Nest reads it.
import "reflect-metadata"
import {
  type ArgumentsHost,
  BadRequestException,
  Body,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  ForbiddenException,
  Get,
  HttpCode,
  HttpException,
  Injectable,
  Module,
  NotFoundException,
  Param,
  ParseBoolPipe,
  ParseIntPipe,
  Post,
  Query,
  SetMetadata,
  UseGuards,
  ValidationPipe
} from "@nestjs/common"
import { NestFactory, Reflector } from "@nestjs/core"
import { FastifyAdapter, type NestFastifyApplication } from "@nestjs/platform-fastify"
import { IsArray, IsInt, IsNumber, IsString, Length, Min } from "class-validator"
import type { FastifyReply, FastifyRequest } from "fastify"
import { host, port, ready, routes, tier } from "./support/Arguments.ts"
import {
  createItem,
  findItem,
  hello,
  type Resource,
  resource,
  resources,
  scopes,
  user
} from "./support/Contract.ts"
import { onError, options, problem, register } from "./support/FastifyProduction.ts"

/** Applies decorators to a class, or to one of its members. */
const decorate = (target: Function, ...decorators: ReadonlyArray<ClassDecorator>) => {
  for (const decorator of decorators.toReversed()) decorator(target)
}

const property = (
  target: Function,
  name: string,
  ...decorators: ReadonlyArray<PropertyDecorator>
) => {
  for (const decorator of decorators.toReversed()) decorator(target.prototype, name)
}

/** Decorators of a method, then for each parameter its own and its type. */
const method = (
  target: Function,
  name: string,
  decorators: ReadonlyArray<MethodDecorator>,
  ...parameters: ReadonlyArray<readonly [type: Function, decorator: ParameterDecorator]>
) => {
  const types = parameters.map(([type]) => type)
  Reflect.defineMetadata("design:paramtypes", types, target.prototype, name)
  for (const [i, [, decorator]] of parameters.entries()) decorator(target.prototype, name, i)
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name)!
  for (const decorator of decorators.toReversed()) decorator(target.prototype, name, descriptor)
}

class EchoDto {
  name!: string
  age!: number
  tags!: Array<string>
}
property(EchoDto, "name", IsString(), Length(1, 100))
property(EchoDto, "age", IsInt())
property(EchoDto, "tags", IsArray(), IsString({ each: true }))

class NewItemDto {
  name!: string
  price!: number
  tags!: Array<string>
}
property(NewItemDto, "name", IsString(), Length(1, 100))
property(NewItemDto, "price", IsNumber(), Min(0))
property(NewItemDto, "tags", IsArray(), IsString({ each: true }))

class BareController {
  json() {
    return hello
  }
  user(id: number, verbose: boolean | undefined) {
    return user(id, verbose)
  }
  echo(body: EchoDto) {
    return body
  }
}
decorate(BareController, Controller())
method(BareController, "json", [Get("/json")])
method(
  BareController,
  "user",
  [Get("/users/:id")],
  [Number, Param("id", ParseIntPipe)],
  // As for a declared type `boolean | undefined`: Nest itself coerces nothing.
  [Object, Query("verbose", new ParseBoolPipe({ optional: true }))]
)
method(BareController, "echo", [Post("/echo"), HttpCode(200)], [EchoDto, Body()])

/** A controller for one resource of `--routes N`. */
const resourceController = (one: Resource) => {
  class ResourceController {
    read(id: number) {
      return resource(one, id)
    }
  }
  decorate(ResourceController, Controller(one.path))
  method(ResourceController, "read", [Get(":id")], [Number, Param("id", ParseIntPipe)])
  return ResourceController
}

// oxlint-disable-next-line no-extraneous-class -- Nest wants a class
class BareModule {}
decorate(
  BareModule,
  Module({ controllers: [BareController, ...resources(routes).map(resourceController)] })
)

class ScopeGuard implements CanActivate {
  readonly reflector: Reflector
  constructor(reflector: Reflector) {
    this.reflector = reflector
  }
  canActivate(context: ExecutionContext) {
    const needed = this.reflector.get<string>("scope", context.getHandler())
    const { user } = context.switchToHttp().getRequest<FastifyRequest>()
    if (user.scope.split(" ").includes(needed)) return true
    throw new ForbiddenException(`Needs ${needed}`)
  }
}
Reflect.defineMetadata("design:paramtypes", [Reflector], ScopeGuard)
decorate(ScopeGuard, Injectable())

class ItemsController {
  read(id: number) {
    const item = findItem(id)
    if (item === undefined) throw new NotFoundException(`Item ${id} does not exist`)
    return item
  }
  create(body: NewItemDto) {
    return createItem(body)
  }
}
decorate(ItemsController, Controller("/v1/items"), UseGuards(ScopeGuard))
method(
  ItemsController,
  "read",
  [Get(":id"), SetMetadata("scope", scopes.read)],
  [Number, Param("id", ParseIntPipe)]
)
method(
  ItemsController,
  "create",
  [Post(), SetMetadata("scope", scopes.write)],
  [NewItemDto, Body()]
)

// oxlint-disable-next-line no-extraneous-class -- Nest wants a class
class ProductionModule {}
decorate(ProductionModule, Module({ controllers: [ItemsController], providers: [ScopeGuard] }))

class ProblemFilter implements ExceptionFilter {
  catch(error: Error & { readonly statusCode?: number }, host: ArgumentsHost) {
    const http = host.switchToHttp()
    const reply = http.getResponse<FastifyReply>()
    if (error instanceof HttpException) {
      problem(reply, error.getStatus(), error.name, error.message)
    } else {
      onError(error as never, http.getRequest<FastifyRequest>(), reply)
    }
  }
}
decorate(ProblemFilter, Catch())

const validation = new ValidationPipe({
  exceptionFactory: (errors) =>
    new BadRequestException(errors.map(({ property }) => `${property} is not as declared`).join()),
  transform: true
})

const start = async () => {
  const adapter = new FastifyAdapter(tier === "bare" ? {} : options)
  const app = await NestFactory.create<NestFastifyApplication>(
    tier === "bare" ? BareModule : ProductionModule,
    adapter,
    { logger: ["error", "fatal", "warn"] }
  )
  app.useGlobalPipes(validation)
  if (tier === "production") {
    app.useGlobalFilters(new ProblemFilter())
    await register(adapter.getInstance() as never)
  }
  await app.listen(port, host)
  ready()
}

await start()
