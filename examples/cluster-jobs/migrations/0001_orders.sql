create table stock (
  product text primary key,
  quantity integer not null check (quantity >= 0)
);

insert into stock (product, quantity) values ('lamp', 100), ('sofa', 1);

-- One row for each step of an order: the key refuses a step that is carried out twice.
create table order_steps (
  order_id text not null,
  step text not null check (step in ('reserve', 'charge', 'ship', 'refund', 'release')),
  at timestamptz not null default clock_timestamp(),
  worker integer not null,
  primary key (order_id, step)
);
