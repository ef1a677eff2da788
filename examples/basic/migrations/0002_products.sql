create table products (
  id char(36) primary key,
  name varchar(200) not null,
  owner_id char(36) not null references users (id),
  price integer not null
);
